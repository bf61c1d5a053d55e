/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secrets are planted, in success and in each way to fail, and looked for wherever somebody could
 * read them: logs at level 9, GLib's own too, messages with their debug strings and details, dot
 * files, properties, statistics. */
#include "../server/proxy.h"
#include "fixture.h"
#include <string.h>

/* Every secret holds the word; a JWT in base64 as well. */
#define WORD "PLANTED"
#define TOKEN "PLANTED.JWT.PLANTED"
#define JWT "eyJQTEFOVEVE.eyJQTEFOVEVEIjoxfQ.UExBTlRFRA"
#define KEY "PLANTED-ID:PLANTED-SECRET"

static GString *seen; /* all that anybody could read */
static GMutex lock;

static void
keep (const gchar *text)
{
  g_mutex_lock (&lock);
  if (seen)
    g_string_append_printf (seen, "%s\n", text ? text : "");
  g_mutex_unlock (&lock);
}

static void
keep_log (GstDebugCategory *category, GstDebugLevel level, const gchar *file, const gchar *function,
    gint line, GObject *object, GstDebugMessage *message, gpointer data)
{
  keep (gst_debug_message_get (message));
}

static GLogWriterOutput
keep_glib_log (GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
  g_autofree gchar *text = g_log_writer_format_fields (level, fields, n, FALSE);

  keep (text);
  return G_LOG_WRITER_HANDLED;
}

static void
keep_properties (GstElement *element)
{
  g_autofree GParamSpec **specs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (element), NULL);

  for (guint i = 0; specs[i]; i++) {
    g_auto (GValue) value = G_VALUE_INIT;
    g_autofree gchar *text = NULL;

    if (!(specs[i]->flags & G_PARAM_READABLE))
      continue;
    g_value_init (&value, specs[i]->value_type);
    g_object_get_property (G_OBJECT (element), specs[i]->name, &value);
    if (G_VALUE_HOLDS_BOXED (&value) && g_value_get_boxed (&value) == NULL)
      continue;
    text = g_strdup_value_contents (&value);
    keep (text);
  }
}

static void
keep_message (GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);
  g_autofree gchar *text = structure ? gst_structure_to_string (structure) : NULL;

  keep (text);
}

static void
keep_dot (Fixture *f)
{
  g_autofree gchar *dot =
      gst_debug_bin_to_dot_data (GST_BIN (f->harness->element), GST_DEBUG_GRAPH_SHOW_VERBOSE);

  keep (dot);
}

static gchar *
give_token (GstElement *element, const gchar *scope, const gchar *token)
{
  return g_strdup (token);
}

typedef struct {
  const gchar *name;
  const gchar *property, *secret; /* what is set; NULL: a token from request-token */
  const gchar *auth;
  FalServerOptions server;
  guint refusal;      /* of upgrades, a HTTP status */
  const gchar *reply; /* that the server answers with, holding a secret */
  gboolean tls;       /* and nobody trusts the certificate */
} Case;

/* What a server says that repeats what it was shown; a JWT is known by its form. */
#define ERROR_WITH(secret)                                                                         \
  "{\"type\":\"x-fal-error\",\"error\":\"INTERNAL_ERROR\",\"reason\":\"no " secret " " JWT "\"}"
#define FAILURE_WITH(secret) "{\"status\":\"error\",\"error\":\"bad " secret " " JWT "\"}"
#define UNAUTHORIZED "{\"status\":\"error\",\"error\":\"Unauthorized\"}"

static const Case cases[] = {
  { "token-works", "token", TOKEN, "auto" },
  { "token-401", "token", TOKEN, "auto", .refusal = 401 },
  { "token-403", "token", JWT, "auto", .refusal = 403 },
  { "token-404", "token", TOKEN, "auto", .refusal = 404 },
  { "token-500", "token", TOKEN, "auto", .refusal = 500 },
  { "token-unauthorized", "token", TOKEN, "auto", .reply = UNAUTHORIZED },
  { "token-echoed-in-an-error", "token", TOKEN, "auto", .reply = ERROR_WITH (TOKEN) },
  { "token-echoed-in-a-failure", "token", TOKEN, "auto", .reply = FAILURE_WITH (TOKEN) },
  { "key-works", "api-key", KEY, "auto", { .api_key = KEY, .token = TOKEN } },
  { "key-refused-by-the-token-server", "api-key", KEY, "auto", { .api_key = "another:key" } },
  { "key-token-401", "api-key", KEY, "auto", .refusal = 401 },
  { "key-token-unauthorized", "api-key", KEY, "auto", .reply = UNAUTHORIZED },
  { "key-echoed-in-an-error", "api-key", KEY, "auto", .reply = ERROR_WITH (KEY) },
  { "key-header-works", "api-key", KEY, "key-header", { .api_key = KEY } },
  { "key-header-401", "api-key", KEY, "key-header", .refusal = 401 },
  { "key-header-echoed", "api-key", KEY, "key-header", .reply = ERROR_WITH (KEY) },
  { "key-query-works", "api-key", KEY, "key-query" },
  { "key-query-401", "api-key", KEY, "key-query", .refusal = 401 },
  { "key-query-echoed", "api-key", KEY, "key-query", .reply = FAILURE_WITH (KEY) },
  { "provider-works", NULL, TOKEN, "auto" },
  { "provider-401", NULL, JWT, "auto", .refusal = 401 },
  { "provider-echoed", NULL, TOKEN, "auto", .reply = ERROR_WITH (TOKEN) },
  { "provider-gives-what-is-no-token", NULL, WORD " and spaces\r\n", "auto" },
  { "token-over-tls-that-nobody-trusts", "token", TOKEN, "auto", .tls = TRUE },
  { "proxy-password-407", "proxy", "http://" WORD ":" WORD "@", "none" },
};

static void
set_secret (Fixture *f, const Case *c, const FalProxy *proxy)
{
  g_autofree gchar *uri =
      g_strconcat ("http", fal_server_get_uri (f->server) + strlen ("ws"), "/tokens/", NULL);
  g_autofree gchar *address = NULL;

  gst_harness_set (f->harness, "falrealtimefilter", "token-uri", uri, NULL);
  gst_util_set_object_arg (G_OBJECT (f->element), "auth", c->auth);
  if (c->property == NULL) {
    g_signal_connect (f->element, "request-token", G_CALLBACK (give_token), (gpointer) c->secret);
    return;
  }
  if (proxy)
    address =
        g_strconcat (c->secret, fal_proxy_get_uri ((FalProxy *) proxy) + strlen ("http://"), NULL);
  gst_harness_set (
      f->harness, "falrealtimefilter", c->property, address ? address : c->secret, NULL);
}

/* Ends with a result or an ERROR, or, where the stream goes on, a WARNING. */
static void
wait_for_outcome (Fixture *f)
{
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;

  for (;;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop (f->bus, 10 * GST_MSECOND);

    g_assert_cmpint (g_get_monotonic_time (), <, watchdog);
    if (message)
      keep_message (message);
    if (message && GST_MESSAGE_TYPE (message) & (GST_MESSAGE_ERROR | GST_MESSAGE_WARNING))
      return;
    if (fixture_stat (f, "frames-out") > 0)
      return;
  }
}

static void
run_case (const Case *c)
{
  FalServerOptions options = c->server;
  g_autofree gchar *certificate =
      g_build_filename (g_getenv ("FAL_TEST_DATA"), "tls", "self-signed.pem", NULL);
  g_autofree gchar *key =
      g_build_filename (g_getenv ("FAL_TEST_DATA"), "tls", "self-signed.key", NULL);
  const FalProxyOptions proxy_options = { "user", "word" };
  gboolean proxied = g_strcmp0 (c->property, "proxy") == 0;
  g_autoptr (FalProxy) proxy = proxied ? fal_proxy_new (&proxy_options) : NULL;
  g_autoptr (GBytes) reply = c->reply ? g_bytes_new_static (c->reply, strlen (c->reply)) : NULL;
  g_autoptr (GstStructure) headers =
      gst_structure_new ("headers", "X-Secret", G_TYPE_STRING, "PLANTED-HEADER", NULL);
  g_autoptr (Fixture) f = NULL;

  if (c->tls) {
    options.tls_certificate = certificate;
    options.tls_key = key;
  }
  f = fixture_new (&options, "retries=0");
  g_object_set (f->element, "extra-headers", headers, NULL);
  set_secret (f, c, proxy);
  fal_server_set_refusal (f->server, c->refusal);
  fal_server_set_answer (f->server, reply, TRUE);
  fixture_set_size (f, 32, 32);
  gst_harness_push (f->harness, fixture_frame (32, 32, 0, 0));
  wait_for_outcome (f);
  keep_properties (f->element);
  keep_dot (f);
}

/* The properties are set from a program: what GStreamer itself logs of a description's text is
 * not ours to keep. */
static void
test_case (gconstpointer data)
{
  const Case *c = data;

  seen = g_string_new (NULL);
  gst_debug_set_threshold_from_string (
      "falrealtimefilter:9,GST_PADS:5,GST_MESSAGE:9,GST_BUS:9", TRUE);
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (keep_log, NULL, NULL);
  run_case (c);
  gst_debug_remove_log_function (keep_log);
  gst_debug_set_threshold_from_string ("", TRUE);
  g_assert_cmpuint (seen->len, >, 1000);
  if (strstr (seen->str, WORD))
    g_test_message ("…%.300s", strstr (seen->str, WORD));
  g_assert_null (strstr (seen->str, WORD));
  g_assert_null (strstr (seen->str, "UExBTlRFRA"));
  g_assert_null (strstr (seen->str, "eyJQTEFOVEVE"));
  g_string_free (g_steal_pointer (&seen), TRUE);
}

int
main (int argc, char **argv)
{
  g_setenv ("G_MESSAGES_DEBUG", "all", TRUE);
  fixture_init (&argc, &argv);
  g_log_set_writer_func (keep_glib_log, NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *path = g_strdup_printf ("/secrets/%s", cases[i].name);

    g_test_add_data_func (path, &cases[i], test_case);
  }
  return fixture_run ();
}
