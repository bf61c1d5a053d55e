/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An https server on loopback, for tests: the host that results link their pictures to. In a
 * thread of its own; every function may be called from any thread.
 *
 * /ok.jpg, /ok.png: a small picture. /big: JPEG's first bytes, then zeros without end. /slow: the
 * picture of /ok.jpg, one byte every 50 ms. /redirect-in: 302 to /ok.jpg of the host name that was
 * asked. /redirect-out: 302 to the address given. /text: 200 with text. All else: 404. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  const gchar *tls_certificate, *tls_key; /* PEM files */
  const gchar *redirect_out;              /* "https://…"; NULL: /redirect-out is not there */
} FalPictureHostOptions;

typedef struct _FalPictureHost FalPictureHost;

FalPictureHost *fal_picture_host_new (const FalPictureHostOptions *options, GError **error);
void fal_picture_host_free (FalPictureHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalPictureHost, fal_picture_host_free)

const gchar *fal_picture_host_get_uri (FalPictureHost *host); /* "https://127.0.0.1:PORT" */
guint fal_picture_host_get_port (FalPictureHost *host);
guint fal_picture_host_get_requests (FalPictureHost *host); /* so far */
/* The next request's head not yet popped, oldest first, as "GET /path HTTP/1.1" and one line
 * "Name: value" for each header; waits for it at most @timeout_ms, then NULL. */
gchar *fal_picture_host_pop_head (FalPictureHost *host, guint timeout_ms);

G_END_DECLS
