/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an error of libsoup, of TLS or of a status means. */
#include "fal/net/soup-fault.h"

#include <string.h>

static const struct {
  GTlsCertificateFlags flags;
  guint fault;
  const gchar *words[2];
} certificates[] = {
  { G_TLS_CERTIFICATE_UNKNOWN_CA, FAL_TLS_FAULT_UNKNOWN_CA, { "self-signed" } },
  { G_TLS_CERTIFICATE_BAD_IDENTITY, FAL_TLS_FAULT_WRONG_HOST, { "another host" } },
  { G_TLS_CERTIFICATE_NOT_ACTIVATED, FAL_TLS_FAULT_NOT_YET_VALID, { "clock" } },
  { G_TLS_CERTIFICATE_EXPIRED, FAL_TLS_FAULT_EXPIRED, { "clock" } },
  { G_TLS_CERTIFICATE_REVOKED, FAL_TLS_FAULT_OTHER, { "revoked" } },
  { G_TLS_CERTIFICATE_INSECURE, FAL_TLS_FAULT_OTHER, { "not secure" } },
  { G_TLS_CERTIFICATE_GENERIC_ERROR, FAL_TLS_FAULT_OTHER, { "cannot be verified" } },
  /* The first that fits says what to do, and all are told. */
  { G_TLS_CERTIFICATE_EXPIRED | G_TLS_CERTIFICATE_UNKNOWN_CA, FAL_TLS_FAULT_UNKNOWN_CA,
      { "self-signed", ", and it has expired" } },
  { 1 << 20, FAL_TLS_FAULT_OTHER, { "was not accepted" } }, /* of a newer GLib */
};

static void
test_a_certificate_is_described (void)
{
  g_autoptr (GError) error = g_error_new (G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "no");

  for (guint i = 0; i < G_N_ELEMENTS (certificates); i++) {
    const FalSoupCircumstances circumstances = { "connecting", NULL, certificates[i].flags };
    g_autofree gchar *what = NULL;
    FalFault fault = fal_soup_fault_from_error (&circumstances, error, &what);

    g_assert_cmpint (fault.kind, ==, FAL_FAULT_TLS);
    g_assert_cmpuint (fault.code, ==, certificates[i].fault);
    for (guint k = 0; k < 2 && certificates[i].words[k]; k++)
      g_assert_nonnull (strstr (what, certificates[i].words[k]));
  }
}

static void
test_each_error_has_its_kind (void)
{
  const struct {
    GQuark domain;
    gint code;
    FalFaultKind directly, through_proxy;
  } rows[] = {
    { G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED, FAL_FAULT_NETWORK, FAL_FAULT_PROXY },
    { G_IO_ERROR, G_IO_ERROR_PROXY_FAILED, FAL_FAULT_PROXY, FAL_FAULT_PROXY },
    { G_IO_ERROR, G_IO_ERROR_PROXY_AUTH_FAILED, FAL_FAULT_PROXY, FAL_FAULT_PROXY },
    { G_IO_ERROR, G_IO_ERROR_PROXY_NEED_AUTH, FAL_FAULT_PROXY, FAL_FAULT_PROXY },
    { G_IO_ERROR, G_IO_ERROR_PROXY_NOT_ALLOWED, FAL_FAULT_PROXY, FAL_FAULT_PROXY },
    { G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, FAL_FAULT_UNKNOWN_HOST,
        FAL_FAULT_UNKNOWN_HOST },
    { G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE, FAL_FAULT_NETWORK, FAL_FAULT_PROXY },
    { G_TLS_ERROR, G_TLS_ERROR_MISC, FAL_FAULT_TLS, FAL_FAULT_TLS },
    /* Who does not speak TLS may be the proxy. */
    { G_TLS_ERROR, G_TLS_ERROR_NOT_TLS, FAL_FAULT_TLS, FAL_FAULT_PROXY },
    { G_TLS_ERROR, G_TLS_ERROR_EOF, FAL_FAULT_TLS, FAL_FAULT_PROXY },
  };

  if (!g_tls_backend_supports_tls (g_tls_backend_get_default ())) {
    g_test_skip ("GLib finds no TLS on this machine");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const FalSoupCircumstances directly = { "connecting" }, through = { "connecting", "p.example" };
    g_autoptr (GError) error = g_error_new_literal (rows[i].domain, rows[i].code, "so it is");
    g_autofree gchar *what = NULL, *what_there = NULL;
    FalFault fault = fal_soup_fault_from_error (&directly, error, &what);
    FalFault fault_there = fal_soup_fault_from_error (&through, error, &what_there);

    g_assert_cmpint (fault.kind, ==, rows[i].directly);
    g_assert_cmpint (fault_there.kind, ==, rows[i].through_proxy);
    g_assert_cmpstr (what, ==, "error while connecting: so it is");
    g_assert_cmpstr (
        what_there, ==, "error while connecting through the proxy p.example: so it is");
  }
}

static void
test_want_of_an_answer_is_told_first (void)
{
  const FalSoupCircumstances directly = { "connecting", NULL, G_TLS_CERTIFICATE_EXPIRED, TRUE };
  const FalSoupCircumstances through = { "connecting", "p.example", 0, TRUE };
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
  g_autofree gchar *what = NULL, *what_there = NULL;

  g_assert_cmpint (
      fal_soup_fault_from_error (&directly, error, &what).kind, ==, FAL_FAULT_TIMED_OUT);
  g_assert_cmpstr (what, ==, "no answer while connecting");
  g_assert_cmpint (
      fal_soup_fault_from_error (&through, error, &what_there).kind, ==, FAL_FAULT_TIMED_OUT);
  g_assert_cmpstr (what_there, ==, "no answer while connecting through the proxy p.example");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/soup-fault/a-certificate-is-described", test_a_certificate_is_described);
  g_test_add_func ("/soup-fault/each-error-has-its-kind", test_each_error_has_its_kind);
  g_test_add_func (
      "/soup-fault/want-of-an-answer-is-told-first", test_want_of_an_answer_is_told_first);
  return g_test_run ();
}
