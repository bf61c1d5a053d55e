/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into a program, it writes down whom the program and all libraries in it want to reach:
 * a line in the file SOCKET_WATCH_LOG for each socket that is made, each address that is named for
 * one, and each name that a resolver is asked for. The C library's functions for that are here, and
 * hand on to its own; but no name is known, and of addresses only loopback is reached, so that
 * nothing leaves this machine. */
#define _GNU_SOURCE /* RTLD_NEXT, struct mmsghdr */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WATCHED __attribute__ ((visibility ("default")))

/* The function of this name that would have been called without this library. */
static void *
find_next (const char *name)
{
  void *next = dlsym (RTLD_NEXT, name);

  if (!next)
    abort ();
  return next;
}

/* What cannot be written down must not go unnoticed. errno stays as it was. */
static void
note (const char *what, const char *whom)
{
  const char *path = getenv ("SOCKET_WATCH_LOG");
  char line[512];
  int error = errno, length = snprintf (line, sizeof line, "%s %.400s\n", what, whom);
  int fd = path ? open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;

  if (fd < 0 || write (fd, line, length) != length)
    abort ();
  close (fd);
  errno = error;
}

/* "127.0.0.1:80", "[::1]:80", "unix /run/bus", "family 16". */
static void
note_address (const char *what, const struct sockaddr *address)
{
  char number[INET6_ADDRSTRLEN] = "", text[200];
  const struct sockaddr_in *four = (const struct sockaddr_in *) address;
  const struct sockaddr_in6 *six = (const struct sockaddr_in6 *) address;
  const struct sockaddr_un *local = (const struct sockaddr_un *) address;

  if (address->sa_family == AF_INET)
    snprintf (text, sizeof text, "%s:%u",
        inet_ntop (AF_INET, &four->sin_addr, number, sizeof number), ntohs (four->sin_port));
  else if (address->sa_family == AF_INET6)
    snprintf (text, sizeof text, "[%s]:%u",
        inet_ntop (AF_INET6, &six->sin6_addr, number, sizeof number), ntohs (six->sin6_port));
  else if (address->sa_family == AF_UNIX)
    snprintf (text, sizeof text, "unix %.*s", (int) sizeof local->sun_path - 1,
        local->sun_path[0] ? local->sun_path : local->sun_path + 1);
  else
    snprintf (text, sizeof text, "family %d", address->sa_family);
  note (what, text);
}

/* Whether it is on this machine; else errno says that no way leads there. */
static int
is_near (const struct sockaddr *address)
{
  const struct sockaddr_in *four = (const struct sockaddr_in *) address;

  if (address->sa_family == AF_UNIX || address->sa_family == AF_NETLINK)
    return 1;
  if (address->sa_family == AF_INET && ntohl (four->sin_addr.s_addr) >> 24 == 127)
    return 1;
  errno = ENETUNREACH;
  return 0;
}

/* ---- sockets ---- */

WATCHED int
socket (int family, int type, int protocol)
{
  int (*next) (int, int, int) = find_next ("socket");
  char text[32];

  snprintf (text, sizeof text, "family %d", family);
  note ("socket", text);
  return next (family, type, protocol);
}

WATCHED int
connect (int fd, const struct sockaddr *address, socklen_t length)
{
  int (*next) (int, const struct sockaddr *, socklen_t) = find_next ("connect");

  note_address ("connect", address);
  return is_near (address) ? next (fd, address, length) : -1;
}

/* With an address it is a datagram, and such ones are not expected. */
WATCHED ssize_t
sendto (int fd, const void *data, size_t size, int flags, const struct sockaddr *address,
    socklen_t length)
{
  ssize_t (*next) (int, const void *, size_t, int, const struct sockaddr *, socklen_t) =
      find_next ("sendto");

  if (address)
    note_address ("send", address);
  return next (fd, data, size, flags, address, length);
}

WATCHED ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  ssize_t (*next) (int, const struct msghdr *, int) = find_next ("sendmsg");

  if (message->msg_name)
    note_address ("send", message->msg_name);
  return next (fd, message, flags);
}

WATCHED int
sendmmsg (int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
  int (*next) (int, struct mmsghdr *, unsigned int, int) = find_next ("sendmmsg");

  for (unsigned int i = 0; i < count; i++)
    if (messages[i].msg_hdr.msg_name)
      note_address ("send", messages[i].msg_hdr.msg_name);
  return next (fd, messages, count, flags);
}

/* ---- names ---- */

/* Without a name, or with AI_NUMERICHOST, it asks nobody. */
WATCHED int
getaddrinfo (
    const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
  int (*next) (const char *, const char *, const struct addrinfo *, struct addrinfo **) =
      find_next ("getaddrinfo");

  if (!name || (hints && hints->ai_flags & AI_NUMERICHOST))
    return next (name, service, hints, found);
  note ("resolve", name);
  return EAI_NONAME;
}

WATCHED int
getnameinfo (const struct sockaddr *address, socklen_t length, char *host, socklen_t host_size,
    char *service, socklen_t service_size, int flags)
{
  int (*next) (const struct sockaddr *, socklen_t, char *, socklen_t, char *, socklen_t, int) =
      find_next ("getnameinfo");

  if (flags & NI_NUMERICHOST)
    return next (address, length, host, host_size, service, service_size, flags);
  note_address ("resolve", address);
  return EAI_NONAME;
}

static int
ask_nobody (const char *name)
{
  note ("resolve", name);
  h_errno = HOST_NOT_FOUND;
  return -1;
}

WATCHED struct hostent *
gethostbyname (const char *name)
{
  ask_nobody (name);
  return NULL;
}

WATCHED struct hostent *
gethostbyname2 (const char *name, int family)
{
  ask_nobody (name);
  return NULL;
}

WATCHED int
gethostbyname_r (const char *name, struct hostent *space, char *buffer, size_t size,
    struct hostent **found, int *error)
{
  ask_nobody (name);
  *found = NULL;
  *error = HOST_NOT_FOUND;
  return 0;
}

WATCHED int
res_nquery (res_state state, const char *name, int class, int type, unsigned char *answer, int size)
{
  return ask_nobody (name);
}

WATCHED int
res_nsearch (
    res_state state, const char *name, int class, int type, unsigned char *answer, int size)
{
  return ask_nobody (name);
}
