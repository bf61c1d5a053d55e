/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libsoup's failures mean, and in which words. Pure. */
#pragma once

#include "fal/policy/fault.h"
#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Where in an attempt it happened. */
typedef struct {
  const gchar *doing;              /* "connecting" */
  const gchar *proxy;              /* through which; NULL: directly */
  GTlsCertificateFlags tls_errors; /* for which the certificate was not accepted */
  gboolean timed_out;
} FalSoupContext;

/* An operation failed with @error. @what becomes the words. */
FalFault fal_soup_fault_from_error (const FalSoupContext *scene, const GError *error, gchar **what);

/* The answer was a status that is no success. @kind: whose: the upgrade's or the token request's.
 * It may turn out to be the proxy's. */
FalFault fal_soup_fault_from_status (
    const FalSoupContext *scene, FalFaultKind kind, SoupMessage *message, gchar **what);

G_END_DECLS
