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
} FalSoupCircumstances;

/* An operation failed with @error. *@what becomes a sentence about it. */
FalFault fal_soup_fault_from_error (
    const FalSoupCircumstances *circumstances, const GError *error, gchar **what);

/* The reply to @message has a status that is no success. @kind says which request it was, the
 * upgrade or that for a token; but it may turn out that the proxy has refused it. */
FalFault fal_soup_fault_from_status (const FalSoupCircumstances *circumstances, FalFaultKind kind,
    SoupMessage *message, gchar **what);

G_END_DECLS
