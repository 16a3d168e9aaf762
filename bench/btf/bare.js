// What Node itself takes.
console.log(JSON.stringify({ offset: 0, kib: process.resourceUsage().maxRSS }));
