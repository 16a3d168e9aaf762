import type { ArgumentType, Capture } from "./model.ts";
import { argumentType } from "./types/index.ts";

/** One argument of a system call. */
export interface Argument {
  readonly name: string;
  readonly type: ArgumentType;
}

/**
 * The arguments of every system call, as section 2 of the manual names them: `call name:type …`. A word without a colon
 * is name and type. Types are in types/*.ts; one in capitals is a set of constants; `in.2` takes its length from
 * argument 2 (counted from 0).
 */
const TABLE = `
read fd buf:out.2 count:ulong
write fd buf:in.2 count:ulong
open pathname:path flags:oflags mode:oct
openat dirfd pathname:path flags:oflags mode:oct
openat2 dirfd pathname:path how:how size:ulong
creat pathname:path mode:oct
close fd
close_range first:uint last:uint flags:CLOSE_RANGE
stat pathname:path statbuf:stat
fstat fd statbuf:stat
lstat pathname:path statbuf:stat
newfstatat dirfd pathname:path statbuf:stat flags:AT
fstatat dirfd pathname:path statbuf:stat flags:AT
statx dirfd pathname:path flags:AT mask:STATX statxbuf:statx
poll fds:pollfds.1 nfds:ulong timeout:int
ppoll fds:pollfds.1 nfds:ulong tmo_p:ts sigmask:sigset sigsetsize:ulong
lseek fd offset:long whence:WHENCE
mmap addr:ptr length:ulong prot:PROT flags:MAP fd offset:hex
mprotect addr:ptr len:ulong prot:PROT
pkey_mprotect addr:ptr len:ulong prot:PROT pkey:int
pkey_alloc flags:hex access_rights:hex
pkey_free pkey:int
munmap addr:ptr length:ulong
brk addr:ptr
mremap old_address:ptr old_size:ulong new_size:ulong flags:MREMAP new_address:ptr
msync addr:ptr length:ulong flags:MSYNC
mincore addr:ptr length:ulong vec:ptr
madvise addr:ptr length:ulong advice:MADVISE
process_madvise pidfd:fd iovec:ptr vlen:ulong advice:MADVISE flags:xint
mlock addr:ptr len:ulong
mlock2 addr:ptr len:ulong flags:MLOCK
munlock addr:ptr len:ulong
mlockall flags:MLOCKALL
munlockall
mseal addr:ptr len:ulong flags:hex
remap_file_pages addr:ptr size:ulong prot:PROT pgoff:ulong flags:MAP
map_shadow_stack addr:ptr size:ulong flags:xint
memfd_create name:path flags:MEMFD
memfd_secret flags:xint
mbind addr:ptr len:ulong mode:MBIND nodemask:ptr maxnode:ulong flags:xint
set_mempolicy mode:MBIND nodemask:ptr maxnode:ulong
get_mempolicy mode:ptr nodemask:ptr maxnode:ulong addr:ptr flags:hex
set_mempolicy_home_node start:ptr len:ulong home_node:ulong flags:hex
migrate_pages pid:int maxnode:ulong old_nodes:ptr new_nodes:ptr
move_pages pid:int count:ulong pages:ptr nodes:ptr status:ptr flags:xint
membarrier cmd:MEMBARRIER flags:xint cpu_id:int
userfaultfd flags:USERFAULTFD
process_vm_readv pid:int local_iov:ptr liovcnt:ulong remote_iov:ptr riovcnt:ulong flags:hex
process_vm_writev pid:int local_iov:ptr liovcnt:ulong remote_iov:ptr riovcnt:ulong flags:hex
process_mrelease pidfd:fd flags:xint
cachestat fd cstat_range:ptr cstat:ptr flags:xint
rt_sigaction signum:sig act:sigaction oldact:sigactionout sigsetsize:ulong
rt_sigprocmask how:SIGHOW set:sigset oldset:sigsetout sigsetsize:ulong
rt_sigreturn
rt_sigpending set:sigsetout sigsetsize:ulong
rt_sigtimedwait set:sigset info:siginfoout timeout:ts sigsetsize:ulong
rt_sigqueueinfo tgid:int sig info:siginfo
rt_tgsigqueueinfo tgid:int tid:int sig info:siginfo
rt_sigsuspend mask:sigset sigsetsize:ulong
sigaltstack ss:stack old_ss:stackout
signalfd fd mask:sigset sizemask:ulong
signalfd4 fd mask:sigset sizemask:ulong flags:SIGNALFD
kill pid:int sig
tkill tid:int sig
tgkill tgid:int tid:int sig
pidfd_send_signal pidfd:fd sig info:ptr flags:xint
pidfd_open pid:int flags:PIDFD
pidfd_getfd pidfd:fd targetfd:int flags:xint
restart_syscall
pause
ioctl fd request:ioctl arg:hex
pread64 fd buf:out.2 count:ulong offset:long
pwrite64 fd buf:in.2 count:ulong offset:long
readv fd iov:iovout.2 iovcnt:ulong
writev fd iov:iovin.2 iovcnt:ulong
preadv fd iov:iovout.2 iovcnt:ulong offset:long
pwritev fd iov:iovin.2 iovcnt:ulong offset:long
preadv2 fd iov:iovout.2 iovcnt:ulong offset:long offset_high:long flags:RWF
pwritev2 fd iov:iovin.2 iovcnt:ulong offset:long offset_high:long flags:RWF
vmsplice fd iov:iovin.2 nr_segs:ulong flags:SPLICE
splice fd_in:fd off_in:ptr fd_out:fd off_out:ptr len:ulong flags:SPLICE
tee fd_in:fd fd_out:fd len:ulong flags:SPLICE
sendfile out_fd:fd in_fd:fd offset:ptr count:ulong
copy_file_range fd_in:fd off_in:ptr fd_out:fd off_out:ptr len:ulong flags:xint
access pathname:path mode:ACCESS
faccessat dirfd pathname:path mode:ACCESS
faccessat2 dirfd pathname:path mode:ACCESS flags:ACCESSAT
pipe pipefd:pair
pipe2 pipefd:pair flags:PIPE
select nfds:int readfds:fdset writefds:fdset exceptfds:fdset timeout:tv
pselect6 nfds:int readfds:fdset writefds:fdset exceptfds:fdset timeout:ts sigmask:ptr
sched_yield
dup oldfd:fd
dup2 oldfd:fd newfd:fd
dup3 oldfd:fd newfd:fd flags:DUP
fcntl fd op:FCNTL arg:fcntlarg
flock fd op:FLOCK
fsync fd
fdatasync fd
syncfs fd
sync
sync_file_range fd offset:long nbytes:long flags:SYNC_RANGE
truncate path:path length:long
ftruncate fd length:long
fallocate fd mode:FALLOCATE offset:long len:long
fadvise64 fd offset:long len:long advice:FADVISE
readahead fd offset:long count:ulong
getdents fd dirp:ptr count:uint
getdents64 fd dirp:entries count:ulong
getcwd buf:pathout size:ulong
chdir path:path
fchdir fd
chroot path:path
pivot_root new_root:path put_old:path
rename oldpath:path newpath:path
renameat olddirfd:dirfd oldpath:path newdirfd:dirfd newpath:path
renameat2 olddirfd:dirfd oldpath:path newdirfd:dirfd newpath:path flags:RENAME
mkdir pathname:path mode:oct
mkdirat dirfd pathname:path mode:oct
rmdir pathname:path
link oldpath:path newpath:path
linkat olddirfd:dirfd oldpath:path newdirfd:dirfd newpath:path flags:AT
unlink pathname:path
unlinkat dirfd pathname:path flags:AT
symlink target:path linkpath:path
symlinkat target:path newdirfd:dirfd linkpath:path
readlink pathname:path buf:pathout bufsiz:ulong
readlinkat dirfd pathname:path buf:pathout bufsiz:ulong
chmod pathname:path mode:oct
fchmod fd mode:oct
fchmodat dirfd pathname:path mode:oct
fchmodat2 dirfd pathname:path mode:oct flags:AT
chown pathname:path owner:id group:id
fchown fd owner:id group:id
lchown pathname:path owner:id group:id
fchownat dirfd pathname:path owner:id group:id flags:AT
umask mask:oct
mknod pathname:path mode dev:makedev
mknodat dirfd pathname:path mode dev:makedev
utime filename:path times:ptr
utimes filename:path times:tvs
futimesat dirfd pathname:path times:tvs
utimensat dirfd pathname:path times:utimes flags:AT
statfs path:path buf:statfs
fstatfs fd buf:statfs
ustat dev:xint ubuf:ptr
mount source:path target:path filesystemtype:path mountflags:MOUNT data:path
umount2 target:path flags:UMOUNT
open_tree dirfd pathname:path flags:OPEN_TREE
open_tree_attr dirfd pathname:path flags:OPEN_TREE attr:ptr size:ulong
move_mount from_dfd:dirfd from_pathname:path to_dfd:dirfd to_pathname:path flags:MOVE_MOUNT
fsopen fsname:path flags:xint
fsconfig fs_fd:fd cmd:FSCONFIG key:path value:ptr aux:int
fsmount fs_fd:fd flags:xint attr_flags:FSMOUNT_ATTR
fspick dirfd pathname:path flags:xint
mount_setattr dirfd pathname:path flags:AT attr:ptr size:ulong
statmount req:ptr buf:ptr bufsize:ulong flags:xint
listmount req:ptr mnt_ids:ptr nr_mnt_ids:ulong flags:xint
quotactl op:xint special:path id:int addr:ptr
quotactl_fd fd op:xint id:int addr:ptr
name_to_handle_at dirfd pathname:path handle:ptr mount_id:ptr flags:AT_HANDLE
open_by_handle_at mount_fd:fd handle:ptr flags:oflags
setxattr path:path name:path value:in.3 size:ulong flags:XATTR
lsetxattr path:path name:path value:in.3 size:ulong flags:XATTR
fsetxattr fd name:path value:in.3 size:ulong flags:XATTR
getxattr path:path name:path value:out.3 size:ulong
lgetxattr path:path name:path value:out.3 size:ulong
fgetxattr fd name:path value:out.3 size:ulong
listxattr path:path list:out.2 size:ulong
llistxattr path:path list:out.2 size:ulong
flistxattr fd list:out.2 size:ulong
removexattr path:path name:path
lremovexattr path:path name:path
fremovexattr fd name:path
setxattrat dirfd pathname:path at_flags:AT name:path uargs:ptr usize:ulong
getxattrat dirfd pathname:path at_flags:AT name:path uargs:ptr usize:ulong
listxattrat dirfd pathname:path at_flags:AT list:out.4 size:ulong
removexattrat dirfd pathname:path at_flags:AT name:path
file_getattr dirfd pathname:path ufattr:ptr usize:ulong at_flags:AT
file_setattr dirfd pathname:path ufattr:ptr usize:ulong at_flags:AT
inotify_init
inotify_init1 flags:INOTIFY
inotify_add_watch fd pathname:path mask:INOTIFY_MASK
inotify_rm_watch fd wd:int
fanotify_init flags:xint event_f_flags:oflags
fanotify_mark fanotify_fd:fd flags:xint mask:hex dirfd pathname:path
epoll_create size:int
epoll_create1 flags:EPOLL_CREATE
epoll_ctl epfd:fd op:EPOLL_OP fd event:epevent
epoll_wait epfd:fd events:epevents maxevents:int timeout:int
epoll_pwait epfd:fd events:epevents maxevents:int timeout:int sigmask:sigset sigsetsize:ulong
epoll_pwait2 epfd:fd events:epevents maxevents:int timeout:ts sigmask:sigset sigsetsize:ulong
eventfd initval:uint
eventfd2 initval:uint flags:EVENTFD
timerfd_create clockid:clock flags:TIMERFD
timerfd_settime fd flags:TIMERFD_SET new_value:its old_value:itsout
timerfd_gettime fd curr_value:itsout
socket domain:DOMAIN type:socktype protocol:protocol
socketpair domain:DOMAIN type:socktype protocol:protocol sv:pair
bind sockfd:fd addr:saddr.2 addrlen:int
listen sockfd:fd backlog:int
connect sockfd:fd addr:saddr.2 addrlen:int
accept sockfd:fd addr:saddrout.2 addrlen:intout
accept4 sockfd:fd addr:saddrout.2 addrlen:intout flags:SOCKFLAGS
getsockname sockfd:fd addr:saddrout.2 addrlen:intout
getpeername sockfd:fd addr:saddrout.2 addrlen:intout
sendto sockfd:fd buf:in.2 len:ulong flags:MSG dest_addr:saddr.5 addrlen:int
recvfrom sockfd:fd buf:out.2 len:ulong flags:MSG src_addr:saddrout.5 addrlen:intout
sendmsg sockfd:fd msg:msgin flags:MSG
recvmsg sockfd:fd msg:msgout flags:MSG
sendmmsg sockfd:fd msgvec:ptr vlen:uint flags:MSG
recvmmsg sockfd:fd msgvec:ptr vlen:uint flags:MSG timeout:ts
setsockopt sockfd:fd level:level optname:optname optval:optin.4 optlen:int
getsockopt sockfd:fd level:level optname:optname optval:optout.4 optlen:intout
shutdown sockfd:fd how:SHUTDOWN
clone flags:cloneflags stack:ptr parent_tid:ptr child_tid:ptr tls:ptr
clone3 cl_args:cloneargs size:ulong
fork
vfork
execve pathname:path argv:argv envp:ptr
execveat dirfd pathname:path argv:argv envp:ptr flags:AT
exit status:int
exit_group status:int
wait4 pid:int wstatus:wstatus options:WAIT rusage:ptr
waitid idtype:IDTYPE id:waitedid infop:siginfoout options:WAIT rusage:ptr
getpid
getppid
gettid
getpgid pid:int
setpgid pid:int pgid:int
getpgrp
getsid pid:int
setsid
getuid
geteuid
getgid
getegid
setuid uid:id
setgid gid:id
setreuid ruid:id euid:id
setregid rgid:id egid:id
setresuid ruid:id euid:id suid:id
setresgid rgid:id egid:id sgid:id
getresuid ruid:intout euid:intout suid:intout
getresgid rgid:intout egid:intout sgid:intout
setfsuid fsuid:id
setfsgid fsgid:id
getgroups size:int list:groupsout
setgroups size:int list:groups.0
capget hdrp:ptr datap:ptr
capset hdrp:ptr datap:ptr
prctl option:PRCTL arg2:prctlval arg3:hex arg4:hex arg5:hex
arch_prctl op:ARCH_PRCTL addr:hex
personality persona
ptrace op:ptrace pid:int addr:ptr data:ptr
seccomp operation:SECCOMP flags:SECCOMP_FLAGS args:ptr
set_tid_address tidptr:ptr
set_robust_list head:ptr len:ulong
get_robust_list pid:int head_ptr:ptr len_ptr:ptr
rseq rseq:ptr rseq_len:uint flags:RSEQ sig:xint
futex uaddr:ptr futex_op:futexop val:uint timeout:futexval uaddr2:ptr val3:futexval3
futex_waitv waiters:ptr nr_futexes:uint flags:xint timeout:ts clockid:clock
futex_wake uaddr:ptr mask:hex nr:int flags:xint
futex_wait uaddr:ptr val:ulong mask:hex flags:xint timeout:ts clockid:clock
futex_requeue waiters:ptr flags:xint nr_wake:int nr_requeue:int
set_thread_area u_info:ptr
get_thread_area u_info:ptr
modify_ldt func:int ptr:ptr bytecount:ulong
getrlimit resource:RESOURCE rlim:rlimout
setrlimit resource:RESOURCE rlim:rlim
prlimit64 pid:int resource:RESOURCE new_limit:rlim old_limit:rlimout
getrusage who:RUSAGE usage:rusage
getpriority which:PRIO who:int
setpriority which:PRIO who:int prio:int
ioprio_get which:IOPRIO_WHO who:int
ioprio_set which:IOPRIO_WHO who:int ioprio:xint
sched_setscheduler pid:int policy:policy param:intin
sched_getscheduler pid:int
sched_setparam pid:int param:intin
sched_getparam pid:int param:intout
sched_setattr pid:int attr:ptr flags:xint
sched_getattr pid:int attr:ptr size:uint flags:xint
sched_get_priority_max policy:policy
sched_get_priority_min policy:policy
sched_rr_get_interval pid:int tp:tsout
sched_setaffinity pid:int cpusetsize:uint mask:cpus.1
sched_getaffinity pid:int cpusetsize:uint mask:cpusout
getcpu cpu:intout node:intout tcache:ptr
unshare flags:SETNS
setns fd nstype:SETNS
kcmp pid1:int pid2:int type:KCMP idx1:ulong idx2:ulong
time tloc:ptr
stime t:ptr
gettimeofday tv:tvout tz:ptr
settimeofday tv:tv tz:ptr
clock_gettime clockid:clock tp:tsout
clock_settime clockid:clock tp:ts
clock_getres clockid:clock res:tsout
clock_nanosleep clockid:clock flags:TIMER t:ts remain:tsleft
clock_adjtime clk_id:clock buf:ptr
adjtimex buf:ptr
nanosleep duration:ts rem:tsleft
alarm seconds:uint
getitimer which:ITIMER curr_value:itvout
setitimer which:ITIMER new_value:itv old_value:itvout
timer_create clockid:clock sevp:ptr timerid:intout
timer_settime timerid:int flags:TIMER new_value:its old_value:itsout
timer_gettime timerid:int curr_value:itsout
timer_getoverrun timerid:int
timer_delete timerid:int
times buf:ptr
uname buf:uname
sysinfo info:sysinfo
syslog type:int bufp:ptr len:int
sethostname name:in.1 len:ulong
setdomainname name:in.1 len:ulong
getrandom buf:out.1 buflen:ulong flags:GRND
iopl level:int
ioperm from:ulong num:ulong turn_on:int
acct filename:path
swapon path:path swapflags:xint
swapoff path:path
reboot magic:xint magic2:xint op:xint arg:ptr
vhangup
init_module module_image:ptr len:ulong param_values:path
finit_module fd param_values:path flags:xint
delete_module name:path flags:DELETE_MODULE
kexec_load entry:ptr nr_segments:ulong segments:ptr flags:hex
kexec_file_load kernel_fd:fd initrd_fd:fd cmdline_len:ulong cmdline:path flags:hex
bpf cmd:BPF attr:ptr size:uint
perf_event_open attr:ptr pid:int cpu:int group_fd:fd flags:PERF
io_uring_setup entries:uint params:ptr
io_uring_enter fd to_submit:uint min_complete:uint flags:URING_ENTER sig:ptr sz:ulong
io_uring_register fd opcode:URING_REGISTER arg:ptr nr_args:uint
io_setup nr_events:uint ctx_idp:ptr
io_destroy ctx_id:hex
io_getevents ctx_id:hex min_nr:long nr:long events:ptr timeout:ts
io_pgetevents ctx_id:hex min_nr:long nr:long events:ptr timeout:ts usig:ptr
io_submit ctx_id:hex nr:long iocbpp:ptr
io_cancel ctx_id:hex iocb:ptr result:ptr
landlock_create_ruleset attr:ptr size:ulong flags:LANDLOCK
landlock_add_rule ruleset_fd:fd rule_type:int rule_attr:ptr flags:xint
landlock_restrict_self ruleset_fd:fd flags:xint
lsm_get_self_attr attr:uint ctx:ptr size:ptr flags:xint
lsm_set_self_attr attr:uint ctx:ptr size:uint flags:xint
lsm_list_modules ids:ptr size:ptr flags:xint
add_key type:path description:path payload:in.3 plen:ulong keyring:int
request_key type:path description:path callout_info:path dest_keyring:int
keyctl operation:KEYCTL arg2:hex arg3:hex arg4:hex arg5:hex
shmget key:ipckey size:ulong shmflg:shmget
shmat shmid:int shmaddr:ptr shmflg:SHM
shmdt shmaddr:ptr
shmctl shmid:int op:SHM_CTL buf:ptr
semget key:ipckey nsems:int semflg:ipcget
semop semid:int sops:ptr nsops:ulong
semtimedop semid:int sops:ptr nsops:ulong timeout:ts
semctl semid:int semnum:int op:SEM_CTL arg:hex
msgget key:ipckey msgflg:ipcget
msgsnd msqid:int msgp:ptr msgsz:ulong msgflg:MSG_IPC
msgrcv msqid:int msgp:ptr msgsz:ulong msgtyp:long msgflg:MSG_IPC
msgctl msqid:int op:MSG_CTL buf:ptr
mq_open name:path oflag:oflags mode:oct attr:ptr
mq_unlink name:path
mq_timedsend mqdes:fd msg_ptr:in.2 msg_len:ulong msg_prio:uint abs_timeout:ts
mq_timedreceive mqdes:fd msg_ptr:out.2 msg_len:ulong msg_prio:ptr abs_timeout:ts
mq_notify mqdes:fd sevp:ptr
mq_getsetattr mqdes:fd newattr:ptr oldattr:ptr
lookup_dcookie cookie:hex buffer:ptr len:ulong
uselib library:path
sysfs option:int arg1:hex arg2:hex
_sysctl args:ptr
`;

const parsed = new Map<string, readonly Argument[] | undefined>();

/** The arguments of a call by name; undefined for one that the table does not have. */
export function signatureOf(call: string): readonly Argument[] | undefined {
  let signature = parsed.get(call);
  if (signature === undefined && !parsed.has(call)) {
    const words = signatureWords(call);
    signature = words === undefined ? undefined : parseSignature(words);
    parsed.set(call, signature);
  }
  return signature;
}

/** The same as it stands in the table: `name:type …`. Looked for in its text: a trace has few of all the calls. */
export function signatureWords(call: string): string | undefined {
  const line = `\n${call}`;
  for (let at = TABLE.indexOf(line); at >= 0; at = TABLE.indexOf(line, at + 1)) {
    const end = at + line.length;
    if (TABLE[end] === "\n") return "";
    if (TABLE[end] === " ") return TABLE.slice(end + 1, TABLE.indexOf("\n", end));
  }
  return undefined;
}

export function parseSignature(words: string): readonly Argument[] {
  return words.split(" ").filter(Boolean).map(parseArgument);
}

/** The names of all calls in the table. */
export function knownCalls(): readonly string[] {
  return TABLE.trim()
    .split("\n")
    .map((line) => line.split(" ", 1)[0] as string);
}

function parseArgument(word: string): Argument {
  const colon = word.indexOf(":");
  return colon < 0
    ? { name: word, type: argumentType(word) }
    : { name: word.slice(0, colon), type: argumentType(word.slice(colon + 1)) };
}

/** What is to be copied of these arguments. */
export function capturesOf(signature: readonly Argument[]): readonly Capture[] {
  return signature.flatMap(({ type }, arg) => type.captures?.(arg) ?? []);
}
