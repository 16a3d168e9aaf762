# Stage 2, in the new root: the streams, the command, how it ended. The host ends the machine when it reads `done`.
B=/run/skep-vm/busybox
cd /run/skep-vm || exit
. ./conf
export PATH="$GUEST_PATH"
echo skep-vm >/proc/sys/kernel/hostname
# What the kernel calls when it wants a module: the host may have none.
echo /run/skep-vm/bin/modprobe >/proc/sys/kernel/modprobe
# From here on the console has what the kernel says while the command runs.
echo 7 >/proc/sys/kernel/printk
$B ifconfig lo 127.0.0.1 up
if [ -n "$DISK" ]; then
	$B modprobe -q virtio_blk
	until [ -b /dev/vda ]; do $B usleep 5000; done
	$B mkdir -p "$DISK" && $B mount -t ext4 /dev/vda "$DISK"
fi

# The ports' devices are called vport<device>p<port>; the device's number depends on what else there is.
port() { until set -- /dev/vport*p"$1" && [ -c "$1" ]; do $B usleep 5000; done; PORT=$1; }
port 3; exec 3>"$PORT"
# A port can be opened once only, so the command gets pipes, whose /dev/stdout can be opened again.
port 1; $B cat out >"$PORT" & COPIES=$!
port 2; $B cat err >"$PORT" & COPIES="$COPIES $!"
if [ -n "$RESULTS" ]; then port 4; $B cat results >"$PORT" & COPIES="$COPIES $!"; exec 4>results; fi
echo start >&3
if [ -n "$TTY" ]; then
	until [ -c /dev/hvc0 ]; do $B usleep 5000; done
	# Held open: the last one who closes a terminal throws away what was typed ahead.
	exec 5>out 6>err 7<>/dev/hvc0
	$B stty $TTY <&7
	( exec 3>&- 4>&- 5>&- 6>&- 7>&- </dev/hvc0 >/dev/hvc0 2>&1; . ./command )
	exec 5>&- 6>&-
else
	( exec 3>&- 4>&- </dev/null >out 2>err; . ./command )
fi
exec 4>&-
# busybox's time has written how the command ended: a shell's $? cannot tell `exit 137` from SIGKILL.
ENDED='exit 127'
while read -r LINE; do
	case $LINE in
	*' by signal '*) ENDED="signal ${LINE##* }"; break ;;
	'exit '*) ENDED=$LINE ;;
	esac
done <status
echo "end $ENDED" >&3
wait $COPIES
echo done >&3
$B poweroff -f
