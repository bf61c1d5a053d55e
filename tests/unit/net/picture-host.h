/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host of pictures on loopback, over https, that behaves and misbehaves byte by byte, as the path
 * that it is asked for says. It accepts in the default main context and serves on threads. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define PICTURE "the bytes of a picture"

typedef enum {
  HOST_SERVES,
  HOST_STALLS,  /* takes the first bytes of TLS and never answers them */
  HOST_PROXIES, /* takes CONNECT, and stands for whoever is asked for */
  HOST_DEMANDS, /* does so only with a password */
} PictureHostMode;

typedef struct {
  GSocketService *service;
  GTlsCertificate *certificate;
  guint16 port;
  PictureHostMode mode;

  /* of the default main context's thread */
  guint connections;
  GPtrArray *addresses; /* gchar: those that were connected to */
  guint16 last_client;  /* port of the last one that connected */

  GMutex lock;         /* guards the two below */
  GPtrArray *requests; /* gchar: heads, or what came instead */
  guint serving;       /* connections that have a thread */
} PictureHost;

/* Listens at 127.0.0.1 and 127.0.0.2. */
PictureHost *picture_host_new (void);
/* Waits for its clients to go. */
void picture_host_free (PictureHost *host);

/* From the certificates in tests/data/tls. */
void picture_host_set_certificate (PictureHost *host, const gchar *name);

guint picture_host_count_requests (PictureHost *host);

/* That nobody has connected so far: the test's own connection to each address is its first. */
void picture_host_assert_never_contacted (PictureHost *host);

G_END_DECLS
