/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which proxies, names and headers can work, and which headers a request gets. */
#include "fal/net/transport.h"
#include "install-properties.h"
#include <string.h>

static FalSettings *
make_settings (const gchar *proxy, const gchar *user_agent, const GstStructure *extra_headers)
{
  FalSettings *settings = fal_settings_new ();

  settings->proxy = g_strdup (proxy);
  g_free (settings->user_agent);
  settings->user_agent = g_strdup (user_agent);
  settings->extra_headers = extra_headers ? gst_structure_copy (extra_headers) : NULL;
  return settings;
}

static gchar *
check (const gchar *proxy, const gchar *user_agent, const GstStructure *extra_headers)
{
  g_autoptr (FalSettings) settings = make_settings (proxy, user_agent, extra_headers);
  g_autoptr (GError) error = NULL;

  if (fal_transport_check (settings, &error))
    return NULL;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_null (strstr (error->message, "SECRET"));
  return g_strdup (error->message);
}

static void
test_what_cannot_be_a_proxy_is_refused (void)
{
  static const struct {
    const gchar *uri;
    gboolean works;
  } rows[] = {
    { NULL, TRUE },
    { "", TRUE },
    { "http://127.0.0.1:3128", TRUE },
    { "http://proxy/", TRUE },
    { "http://user:SECRET@proxy:8080", TRUE },
    { "http://us%40er:SEC%3ARET@[::1]:8080", TRUE },
    { "proxy:3128", FALSE },
    { "user:SECRET@proxy:3128", FALSE },
    { "https://user:SECRET@proxy", FALSE },
    { "http://", FALSE },
    { "http://proxy:99999", FALSE },
    { "http://proxy\r\nSECRET", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *text = check (rows[i].uri, NULL, NULL);

    g_test_message ("row %u", i);
    g_assert_cmpint (text == NULL, ==, rows[i].works);
    g_assert_true (text == NULL || strstr (text, "http://[user:password@]host:port"));
  }
}

static void
test_a_user_agent_is_one_line (void)
{
  g_autofree gchar *good = check (NULL, "mine/1.0 (test)", NULL);
  g_autofree gchar *bad = check (NULL, "mine\r\nX-SECRET: 1", NULL);

  g_assert_null (good);
  g_assert_nonnull (bad);
}

static gchar *
check_header (const gchar *name, const gchar *value)
{
  g_autoptr (GstStructure) headers = gst_structure_new_empty ("headers");

  gst_structure_set (headers, name, G_TYPE_STRING, value, NULL);
  return check (NULL, NULL, headers);
}

static void
test_headers_that_make_the_connection_are_refused (void)
{
  static const gchar *const names[] = { "Host", "host", "Connection", "UPGRADE",
    "Sec-WebSocket-Key", "sec-websocket-protocol", "Content-Length", "Transfer-Encoding",
    "Proxy-Authorization", "User-Agent", "x-fal-target-url" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *text = check_header (names[i], "SECRET");

    g_assert_nonnull (text);
    g_assert_nonnull (strstr (text, names[i]));
    g_assert_nonnull (strstr (text, "Host, Connection, Upgrade, Sec-WebSocket-*"));
  }
}

static void
test_what_would_be_no_header_is_refused (void)
{
  static const gchar *const rows[][2] = {
    { "X-Team", "SECRET\r\nX-Other: 1" },
    { "X-Team", "SECRET\n" },
    { "X-Team", "\033SECRET" },
    { "X-Team", NULL },
    { "X Team", "video" },
    { "X:Team", "video" },
    { "X\r\nTeam", "video" },
  };
  g_autofree gchar *good = check_header ("X-Team", "vid\teo & \"more\"");

  g_assert_null (good);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *text = check_header (rows[i][0], rows[i][1]);

    g_test_message ("row %u", i);
    g_assert_nonnull (text);
    g_assert_null (strchr (text, '\n'));
  }
}

static void
test_other_values_are_refused (void)
{
  g_autoptr (GstStructure) inner = gst_structure_new_empty ("inner");
  g_autoptr (GstStructure) headers =
      gst_structure_new ("headers", "X-Team", GST_TYPE_STRUCTURE, inner, NULL);
  g_autofree gchar *text = check (NULL, NULL, headers);

  g_assert_nonnull (text);
  g_assert_nonnull (strstr (text, "X-Team is neither text nor a number"));
}

static void
add (const char *name, const char *value, gpointer text)
{
  g_string_append_printf (text, "%s: %s\n", name, value);
}

static void
test_headers_become_text (void)
{
  g_autoptr (FalTransport) transport = fal_transport_new ();
  g_autoptr (SoupMessage) message = soup_message_new ("GET", "http://127.0.0.1/");
  g_autoptr (GstStructure) headers = gst_structure_from_string (
      "headers, X-Text=(string)\"a b\", X-Int=(int)-5, X-Long=(guint64)18446744073709551615, "
      "X-Double=(double)0.5, X-Array=<one, two>, X-List={three, four}",
      NULL);
  g_autoptr (FalSettings) settings = make_settings (NULL, NULL, headers);
  g_autoptr (GString) text = g_string_new (NULL);

  g_assert_true (fal_transport_check (settings, NULL));
  fal_transport_configure (transport, settings);
  fal_transport_add_headers (transport, message);
  soup_message_headers_foreach (soup_message_get_request_headers (message), add, text);
  g_assert_cmpstr (text->str, ==,
      "X-Text: a b\nX-Int: -5\nX-Long: 18446744073709551615\nX-Double: 0.5\nX-Array: one\n"
      "X-Array: two\nX-List: three\nX-List: four\n");
}

static void
test_a_proxy_is_told_without_its_password (void)
{
  g_autoptr (FalTransport) transport = fal_transport_new ();
  g_autoptr (FalSettings) with = make_settings ("http://user:SECRET@proxy:8080/", NULL, NULL);
  g_autoptr (FalSettings) without = make_settings (NULL, NULL, NULL);

  g_assert_null (fal_transport_get_proxy (transport));
  fal_transport_configure (transport, with);
  g_assert_cmpstr (fal_transport_get_proxy (transport), ==, "http://proxy:8080");
  fal_transport_configure (transport, without);
  g_assert_null (fal_transport_get_proxy (transport));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  install_properties ();
#define ADD(name) g_test_add_func ("/transport/" #name, test_##name)
  ADD (what_cannot_be_a_proxy_is_refused);
  ADD (a_user_agent_is_one_line);
  ADD (headers_that_make_the_connection_are_refused);
  ADD (what_would_be_no_header_is_refused);
  ADD (other_values_are_refused);
  ADD (headers_become_text);
  ADD (a_proxy_is_told_without_its_password);
  return g_test_run ();
}
