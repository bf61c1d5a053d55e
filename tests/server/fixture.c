/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers and certificates of the tests. Test's thread. */
#include "fixture.h"

FalServer *
fal_fixture_serve (FalServerOptions options)
{
  g_autoptr (GError) error = NULL;
  FalServer *server = fal_server_new (&options, &error);

  g_assert_no_error (error);
  return server;
}

gchar *
fal_fixture_dup_tls_file (const gchar *name)
{
  return g_build_filename (g_getenv ("FAL_TEST_DATA"), "tls", name, NULL);
}

FalServer *
fal_fixture_serve_tls (const gchar *certificate)
{
  g_autofree gchar *certificate_name = g_strconcat (certificate, ".pem", NULL);
  g_autofree gchar *key_name = g_strconcat (certificate, ".key", NULL);
  g_autofree gchar *certificate_path = fal_fixture_dup_tls_file (certificate_name);
  g_autofree gchar *key_path = fal_fixture_dup_tls_file (key_name);

  return fal_fixture_serve (
      (FalServerOptions){ .tls_certificate = certificate_path, .tls_key = key_path });
}

void
fal_fixture_trust_test_ca (SoupSession *session)
{
  g_autofree gchar *path = fal_fixture_dup_tls_file ("ca.pem");
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsDatabase) database = g_tls_file_database_new (path, &error);

  g_assert_no_error (error);
  soup_session_set_tls_database (session, database);
}
