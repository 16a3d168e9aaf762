// Sockets of all families that a loopback can carry: addresses, options, messages, errors.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  char text[256] = "hello";
  int one = 1;
  socklen_t length = sizeof(struct sockaddr_in);
  struct sockaddr_in address = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}}, from;
  int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  bind(server, (struct sockaddr *)&address, sizeof address);
  listen(server, 5);
  getsockname(server, (struct sockaddr *)&address, &length);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){1, 500}, sizeof(struct timeval));
  setsockopt(client, SOL_SOCKET, SO_LINGER, &(struct linger){1, 3}, sizeof(struct linger));
  connect(client, (struct sockaddr *)&address, sizeof address);
  length = sizeof from;
  int peer = accept4(server, (struct sockaddr *)&from, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
  send(client, "over TCP", 8, MSG_NOSIGNAL);
  recv(peer, text, sizeof text, MSG_PEEK);
  recv(peer, text, sizeof text, 0);
  recv(peer, text, sizeof text, MSG_DONTWAIT);
  struct iovec iov[] = {{"first ", 6}, {"second", 6}};
  struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};
  sendmsg(peer, &message, 0);
  struct iovec in[] = {{text, 4}, {text + 4, 200}};
  message.msg_iov = in;
  recvmsg(client, &message, 0);
  length = sizeof from;
  getpeername(client, (struct sockaddr *)&from, &length);
  length = sizeof one;
  getsockopt(client, SOL_SOCKET, SO_ERROR, &one, &length);
  getsockopt(client, SOL_SOCKET, SO_TYPE, &one, &length);
  struct tcp_info info;
  length = sizeof info;
  getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &length);
  int dupped = dup(client);
  shutdown(client, SHUT_RDWR);
  read(dupped, text, 10);
  close(client);
  close(peer);

  // Nobody there; nothing there; UDP, connected and not.
  int refused = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_port = htons(1);
  connect(refused, (struct sockaddr *)&address, sizeof address);
  int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP);
  address.sin_port = 0;
  bind(a, (struct sockaddr *)&address, sizeof address);
  length = sizeof address;
  getsockname(a, (struct sockaddr *)&address, &length);
  sendto(b, "a datagram", 10, 0, (struct sockaddr *)&address, sizeof address);
  length = sizeof from;
  recvfrom(a, text, sizeof text, 0, (struct sockaddr *)&from, &length);
  length = sizeof from;
  recvfrom(a, text, sizeof text, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
  connect(b, (struct sockaddr *)&address, sizeof address);
  write(b, "connected", 9);
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  recvmsg(a, &message, MSG_WAITALL);
  struct mmsghdr many[2];
  memset(many, 0, sizeof many);
  many[0].msg_hdr.msg_iov = many[1].msg_hdr.msg_iov = iov;
  many[0].msg_hdr.msg_iovlen = many[1].msg_hdr.msg_iovlen = 2;
  sendmmsg(b, many, 2, 0);
  recvmmsg(a, many, 2, MSG_DONTWAIT, NULL);

  struct sockaddr_in6 six = {AF_INET6, 0, 0, IN6ADDR_LOOPBACK_INIT};
  int v6 = socket(AF_INET6, SOCK_STREAM, 0);
  setsockopt(v6, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  bind(v6, (struct sockaddr *)&six, sizeof six);
  length = sizeof six;
  getsockname(v6, (struct sockaddr *)&six, &length);
  listen(v6, 1);
  int c6 = socket(AF_INET6, SOCK_STREAM, 0);
  connect(c6, (struct sockaddr *)&six, sizeof six);
  write(c6, "six", 3);

  struct sockaddr_un un = {AF_UNIX, "unix.socket"}, abstract = {AF_UNIX, "\0skep-compare"};
  int u = socket(AF_UNIX, SOCK_STREAM, 0);
  bind(u, (struct sockaddr *)&un, sizeof un);
  listen(u, 1);
  int uc = socket(AF_UNIX, SOCK_STREAM, 0);
  connect(uc, (struct sockaddr *)&un, sizeof un);
  length = sizeof un;
  int up = accept(u, (struct sockaddr *)&un, &length);
  write(uc, "unix", 4);
  read(up, text, 10);
  char control[CMSG_SPACE(sizeof(int))];
  memset(control, 0, sizeof control);
  struct msghdr pass = {.msg_iov = iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *cmsg = CMSG_FIRSTHDR(&pass);
  cmsg->cmsg_level = SOL_SOCKET;
  cmsg->cmsg_type = SCM_RIGHTS;
  cmsg->cmsg_len = CMSG_LEN(sizeof(int));
  *(int *)CMSG_DATA(cmsg) = server;
  sendmsg(uc, &pass, 0);
  pass.msg_iov = in;
  recvmsg(up, &pass, MSG_CMSG_CLOEXEC);
  int ud = socket(AF_UNIX, SOCK_DGRAM, 0);
  bind(ud, (struct sockaddr *)&abstract, sizeof(sa_family_t) + 13);
  sendto(ud, "to nobody", 9, 0, (struct sockaddr *)&abstract, sizeof(sa_family_t) + 13);
  unlink("unix.socket");

  int route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  struct sockaddr_nl nl = {AF_NETLINK};
  bind(route, (struct sockaddr *)&nl, sizeof nl);
  length = sizeof nl;
  getsockname(route, (struct sockaddr *)&nl, &length);
  struct {
    struct nlmsghdr header;
    struct rtgenmsg body;
  } request = {{sizeof request, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1}, {AF_UNSPEC}};
  sendto(route, &request, sizeof request, 0, (struct sockaddr *)&nl, 0);
  recv(route, text, sizeof text, 0);

  // A socket that several processes share.
  int shared = socket(AF_INET, SOCK_STREAM, 0);
  if (fork() == 0) {
    address.sin_port = htons(1);
    connect(shared, (struct sockaddr *)&address, sizeof address);
    _exit(0);
  }
  wait(NULL);
  write(shared, "x", 1);
  return 0;
}
