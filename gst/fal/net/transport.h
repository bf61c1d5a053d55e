/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How requests travel: a SoupSession with the user's proxy, authorities and headers. Net thread,
 * but for what is marked pure. */
#pragma once

#include <gst/gst.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Borrowed for the call of fal_transport_configure(). */
typedef struct {
  GTlsCertificateFlags tls_validation_flags;
  GTlsDatabase *tls_database; /* NULL: the system's */
  const gchar *proxy;         /* NULL: as the system is set up */
  const gchar *user_agent;    /* NULL: the element's name */
  const GstStructure *extra_headers;
} FalTransportConfig;

typedef struct _FalTransport FalTransport;

/* Pure: whether @config can work; error: G_IO_ERROR_INVALID_ARGUMENT, saying what to do. No value
 * of a header and no password is told. */
gboolean fal_transport_check (const FalTransportConfig *config, GError **error);

FalTransport *fal_transport_new (void);
void fal_transport_free (FalTransport *transport);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalTransport, fal_transport_free)

/* Takes effect with the next request. */
void fal_transport_configure (FalTransport *transport, const FalTransportConfig *config);

SoupSession *fal_transport_get_session (FalTransport *transport);

/* The user's headers, to be added before ours: ours count. */
void fal_transport_add_headers (FalTransport *transport, SoupMessage *message);

/* Those of a certificate's @errors that count. */
GTlsCertificateFlags fal_transport_weigh (FalTransport *transport, GTlsCertificateFlags errors);

/* The proxy that was set, without user and password; or NULL. */
const gchar *fal_transport_get_proxy (FalTransport *transport);

G_END_DECLS
