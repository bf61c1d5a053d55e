/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From an error or a status to a fault and a sentence. Pure. */
#include "soup-fault.h"

/* What is wrong with a certificate; the first that fits says what to do about it. */
static const struct {
  GTlsCertificateFlags flag;
  FalTlsFault fault;
  const gchar *text;
} certificate_faults[] = {
  { G_TLS_CERTIFICATE_UNKNOWN_CA, FAL_TLS_FAULT_UNKNOWN_CA,
      "no authority that this machine trusts has signed it (self-signed?)" },
  { G_TLS_CERTIFICATE_BAD_IDENTITY, FAL_TLS_FAULT_WRONG_HOST, "it is for another host" },
  { G_TLS_CERTIFICATE_NOT_ACTIVATED, FAL_TLS_FAULT_NOT_YET_VALID,
      "it is not valid yet, or the clock of this machine is slow" },
  { G_TLS_CERTIFICATE_EXPIRED, FAL_TLS_FAULT_EXPIRED,
      "it has expired, or the clock of this machine is fast" },
  { G_TLS_CERTIFICATE_REVOKED, FAL_TLS_FAULT_OTHER, "it was revoked" },
  { G_TLS_CERTIFICATE_INSECURE, FAL_TLS_FAULT_OTHER, "its algorithm is not secure" },
  { G_TLS_CERTIFICATE_GENERIC_ERROR, FAL_TLS_FAULT_OTHER, "it cannot be verified" },
};

static FalFault
describe_certificate (const FalSoupCircumstances *circumstances, gchar **what)
{
  GString *text = g_string_new ("the server's certificate was not accepted");
  guint code = G_MAXUINT;

  for (guint i = 0; i < G_N_ELEMENTS (certificate_faults); i++) {
    if (!(circumstances->tls_errors & certificate_faults[i].flag))
      continue;
    g_string_append_printf (
        text, "%s%s", code == G_MAXUINT ? ": " : ", and ", certificate_faults[i].text);
    if (code == G_MAXUINT)
      code = certificate_faults[i].fault;
  }
  *what = g_string_free (text, FALSE);
  return (FalFault){ FAL_FAULT_TLS, code == G_MAXUINT ? FAL_TLS_FAULT_OTHER : code };
}

static gboolean
has_tls (void)
{
  return g_tls_backend_supports_tls (g_tls_backend_get_default ());
}

static FalTlsFault
classify_tls (const GError *error)
{
  if (!has_tls ())
    return FAL_TLS_FAULT_MISSING;
  if (g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_NOT_TLS) ||
      g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_EOF))
    return FAL_TLS_FAULT_NOT_TLS;
  return FAL_TLS_FAULT_OTHER;
}

static FalFault
classify (const FalSoupCircumstances *circumstances, const GError *error)
{
  gboolean broken = error->domain == G_TLS_ERROR && classify_tls (error) == FAL_TLS_FAULT_NOT_TLS;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES))
    return (FalFault) { FAL_FAULT_NETWORK, FAL_NETWORK_FAULT_DESCRIPTORS };
  if (error->domain == G_TLS_ERROR && !(broken && circumstances->proxy))
    return (FalFault){ FAL_FAULT_TLS, classify_tls (error) };
  if (g_error_matches (error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND))
    return (FalFault){ FAL_FAULT_UNKNOWN_HOST };
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PROXY_FAILED) ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PROXY_AUTH_FAILED) ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PROXY_NEED_AUTH) ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PROXY_NOT_ALLOWED))
    return (FalFault){ FAL_FAULT_PROXY };
  return (FalFault){ circumstances->proxy ? FAL_FAULT_PROXY : FAL_FAULT_NETWORK };
}

FalFault
fal_soup_fault_from_error (
    const FalSoupCircumstances *circumstances, const GError *error, gchar **what)
{
  g_autofree gchar *through =
      circumstances->proxy ? g_strconcat (" through the proxy ", circumstances->proxy, NULL) : NULL;
  FalFault fault;

  if (circumstances->timed_out) {
    *what = g_strdup_printf ("no answer while %s%s", circumstances->doing, through ? through : "");
    return (FalFault){ FAL_FAULT_TIMED_OUT };
  }
  if (circumstances->tls_errors != 0)
    return describe_certificate (circumstances, what);
  fault = classify (circumstances, error);
  if (fault.kind == FAL_FAULT_TLS && fault.code == FAL_TLS_FAULT_MISSING)
    *what = g_strdup ("encrypted connections need TLS, which GLib does not find on this machine");
  else
    *what = g_strdup_printf (
        "error while %s%s: %s", circumstances->doing, through ? through : "", error->message);
  return fault;
}

static gint64
get_retry_after (SoupMessage *message)
{
  const gchar *value =
      soup_message_headers_get_one (soup_message_get_response_headers (message), "Retry-After");
  guint64 seconds;

  if (value == NULL || !g_ascii_string_to_unsigned (value, 10, 0, 3600, &seconds, NULL))
    return 0;
  return seconds * G_USEC_PER_SEC;
}

FalFault
fal_soup_fault_from_status (const FalSoupCircumstances *circumstances, FalFaultKind kind,
    SoupMessage *message, gchar **what)
{
  guint status = soup_message_get_status (message);
  gboolean proxy = status == SOUP_STATUS_PROXY_AUTHENTICATION_REQUIRED;

  *what = g_strdup_printf ("%s refused with HTTP status %u (%s) while %s",
      proxy ? "the proxy" : "the server", status, soup_status_get_phrase (status),
      circumstances->doing);
  return (FalFault){ proxy ? FAL_FAULT_PROXY : kind, status, get_retry_after (message) };
}
