#!/usr/bin/env node
"use strict";
// Everything is in the bundle; this file only gives npm and people a stable path to it.
require("../dist/cli/main.cjs");
