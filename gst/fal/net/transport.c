/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets up libsoup's session for the network that the user has. Net thread. */
#include "transport.h"
#include "fal/wire/value.h"
#include "late-returns.h"
#include "timer.h"
#include <string.h>

/* Punctuation that may stand in a header's name. */
#define NAME_MARKS "!#$%&'*+-.^_`|~"

/* Between two questions for a thread, µs. */
#define HURRY_INTERVAL (20 * G_TIME_SPAN_MILLISECOND)

struct _FalTransport {
  SoupSession *soup;
  gboolean used;              /* for a request */
  guint under_way;            /* requests that have not come back */
  FalTimer *timer;            /* for those that are to come back soon */
  GTlsDatabase *tls_database; /* NULL: the system's */
  GTlsCertificateFlags tls_validation_flags;
  GstStructure *extra_headers;
  gchar *proxy_uri;   /* as it was set, with its password */
  gchar *proxy;       /* what may be told of it */
  gchar *proxy_login; /* of the Proxy-Authorization header; NULL: none */
};

/* Whether @text holds a character that would end a header's line, or any other control character.
 */
static gboolean
has_break (const gchar *text)
{
  for (; *text != '\0'; text++)
    if (g_ascii_iscntrl (*text) && *text != '\t')
      return TRUE;
  return FALSE;
}

/* ---- proxy ---- */

/* The proxy without user and password; NULL: it is no HTTP proxy's address. */
static gchar *
read_proxy (const gchar *uri, gchar **userinfo)
{
  g_autoptr (GUri) parsed = g_uri_parse (uri, G_URI_FLAGS_NONE, NULL);
  const gchar *host = parsed ? g_uri_get_host (parsed) : NULL;

  if (host == NULL || *host == '\0' || has_break (uri) ||
      strcmp (g_uri_get_scheme (parsed), "http") != 0)
    return NULL;
  if (userinfo)
    *userinfo = g_strdup (g_uri_get_userinfo (parsed));
  return g_uri_join (G_URI_FLAGS_NONE, "http", NULL, host, g_uri_get_port (parsed), "", NULL, NULL);
}

static gboolean
check_proxy (const gchar *uri, GError **error)
{
  g_autofree gchar *proxy = uri && *uri ? read_proxy (uri, NULL) : NULL;

  if (uri == NULL || *uri == '\0' || proxy)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "proxy is not the address of an HTTP proxy. Set it to one like "
      "http://[user:password@]host:port.");
  return FALSE;
}

/* libsoup's own way to log in to a proxy would also answer servers that ask for a password. The
 * proxy sees the request for a tunnel, and requests that are not encrypted; it alone may see
 * this. */
static void
on_queued (SoupSession *soup, SoupMessage *message, FalTransport *transport)
{
  const gchar *scheme = g_uri_get_scheme (soup_message_get_uri (message));
  gboolean tunnel = strcmp (soup_message_get_method (message), SOUP_METHOD_CONNECT) == 0;
  gboolean open = strcmp (scheme, "http") == 0 || strcmp (scheme, "ws") == 0;

  if (transport->proxy_login && (tunnel || open))
    soup_message_headers_replace (
        soup_message_get_request_headers (message), "Proxy-Authorization", transport->proxy_login);
}

static void
set_proxy (FalTransport *transport, const gchar *uri)
{
  g_autoptr (GProxyResolver) resolver = NULL;
  g_autofree gchar *userinfo = NULL;
  g_autofree gchar *code = NULL;

  if (g_strcmp0 (transport->proxy_uri, uri) == 0)
    return;
  g_free (transport->proxy_uri);
  g_free (transport->proxy);
  g_free (transport->proxy_login);
  transport->proxy_uri = g_strdup (uri);
  transport->proxy = uri && *uri ? read_proxy (uri, &userinfo) : NULL;
  code = userinfo ? g_base64_encode ((const guchar *) userinfo, strlen (userinfo)) : NULL;
  transport->proxy_login = code ? g_strconcat ("Basic ", code, NULL) : NULL;
  resolver = transport->proxy ? g_simple_proxy_resolver_new (transport->proxy, NULL)
                              : g_object_ref (g_proxy_resolver_get_default ());
  soup_session_set_proxy_resolver (transport->soup, resolver);
}

/* ---- headers ---- */

/* What a header's value becomes, or NULL. */
static gchar *
to_text (const GValue *value)
{
  g_auto (GValue) text = G_VALUE_INIT;

  if (G_VALUE_HOLDS_STRING (value))
    return g_value_dup_string (value);
  if (G_VALUE_HOLDS_DOUBLE (value)) {
    gchar number[G_ASCII_DTOSTR_BUF_SIZE];

    return g_strdup (g_ascii_dtostr (number, sizeof number, g_value_get_double (value)));
  }
  if (!G_VALUE_HOLDS_INT (value) && !G_VALUE_HOLDS_UINT (value) && !G_VALUE_HOLDS_INT64 (value) &&
      !G_VALUE_HOLDS_UINT64 (value))
    return NULL;
  g_value_init (&text, G_TYPE_STRING);
  return g_value_transform (value, &text) ? g_value_dup_string (&text) : NULL;
}

static gboolean
is_header_name (const gchar *name)
{
  const gchar *p;

  for (p = name; *p != '\0'; p++) {
    if (!g_ascii_isalnum (*p) && strchr (NAME_MARKS, *p) == NULL)
      return FALSE;
  }
  return p > name;
}

/* They make the connection what it is; a user's would break it, or show a request as another. */
static gboolean
is_reserved (const gchar *name)
{
  static const gchar *const prefixes[] = { "Sec-WebSocket-", "Proxy-" };
  static const gchar *const names[] = { "Host", "Connection", "Upgrade", "Content-Length",
    "Content-Type", "Content-Encoding", "Transfer-Encoding", "TE", "Trailer", "Expect",
    "Keep-Alive", "User-Agent", "x-fal-target-url" };

  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_ascii_strncasecmp (name, prefixes[i], strlen (prefixes[i])) == 0)
      return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_ascii_strcasecmp (name, names[i]) == 0)
      return TRUE;
  return FALSE;
}

/* Calls @visit (name, text, data) for each header, with NULL for what cannot be one. */
typedef gboolean (*Visit) (const gchar *name, const gchar *text, gpointer data);

static gboolean
visit_headers (const GstStructure *headers, Visit visit, gpointer data)
{
  for (gint i = 0; headers && i < gst_structure_n_fields (headers); i++) {
    const gchar *name = gst_structure_nth_field_name (headers, i);
    const GValue *value = gst_structure_get_value (headers, name);
    gboolean many = GST_VALUE_HOLDS_ARRAY (value) || GST_VALUE_HOLDS_LIST (value);

    for (guint n = 0; many ? fal_value_get_item (value, n) != NULL : n < 1; n++) {
      g_autofree gchar *text = to_text (many ? fal_value_get_item (value, n) : value);

      if (!visit (name, text, data))
        return FALSE;
    }
  }
  return TRUE;
}

static gboolean
check_header (const gchar *name, const gchar *text, gpointer data)
{
  const gchar *fault = NULL;

  if (!is_header_name (name))
    fault = "is not the name of a header. Use letters, digits and hyphens.";
  else if (is_reserved (name))
    fault = "cannot be set by extra-headers (nor can Host, Connection, Upgrade, Sec-WebSocket-*, "
            "Content-*, Proxy-*, and User-Agent, which has a property). Leave it out.";
  else if (text == NULL)
    fault = "is neither text nor a number, nor a list of them. Give one of these.";
  else if (has_break (text))
    fault = "holds a line break or another control character. Give the value alone.";
  if (fault == NULL)
    return TRUE;
  g_set_error ((GError **) data, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "extra-headers: %s %s",
      is_header_name (name) ? name : "a field", fault);
  return FALSE;
}

static gboolean
append_header (const gchar *name, const gchar *text, gpointer message)
{
  soup_message_headers_append (soup_message_get_request_headers (message), name, text);
  return TRUE;
}

void
fal_transport_add_headers (FalTransport *transport, SoupMessage *message)
{
  visit_headers (transport->extra_headers, append_header, message);
}

/* ---- requests that are to end ---- */

static void
run_nothing (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_task_return_boolean (task, TRUE);
}

static void
on_timer (gpointer data)
{
  FalTransport *transport = data;

  if (transport->under_way > 0)
    fal_transport_hurry (transport);
}

/* Where no thread could be started for a handshake, GLib has it wait until somebody asks for the
 * next one. */
void
fal_transport_hurry (FalTransport *transport)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  fal_late_returns_add (task);
  g_task_run_in_thread (task, run_nothing);
  fal_timer_set (transport->timer, g_get_monotonic_time () + HURRY_INTERVAL);
}

/* ---- life ---- */

gboolean
fal_transport_check (const FalSettings *settings, GError **error)
{
  if (settings->user_agent && has_break (settings->user_agent)) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "user-agent holds a line break or another control character. Set it to plain text.");
    return FALSE;
  }
  return check_proxy (settings->proxy, error) &&
         visit_headers (settings->extra_headers, check_header, error);
}

/* Without cookies, sniffer, decompression or a user's stored passwords: none of them is wanted,
 * each is one more way in. */
static SoupSession *
make_session (FalTransport *transport)
{
  SoupSession *soup = soup_session_new_with_options ("timeout", 0, "idle-timeout", 1, NULL);

  soup_session_remove_feature_by_type (soup, SOUP_TYPE_AUTH_MANAGER);
  soup_session_remove_feature_by_type (soup, SOUP_TYPE_CONTENT_DECODER);
  soup_session_remove_feature_by_type (soup, SOUP_TYPE_CONTENT_SNIFFER);
  g_signal_connect (soup, "request-queued", G_CALLBACK (on_queued), transport);
  fal_late_returns_watch (soup);
  return soup;
}

/* No request of it is under way. */
static void
free_session (FalTransport *transport, SoupSession *soup)
{
  soup_session_abort (soup); /* ends connections that wait for a next request */
  g_signal_handlers_disconnect_by_data (soup, transport);
  g_object_unref (soup);
}

FalTransport *
fal_transport_new (void)
{
  FalTransport *transport = g_new0 (FalTransport, 1);

  transport->timer = fal_timer_new (g_main_context_get_thread_default (), on_timer, transport);
  transport->soup = make_session (transport);
  transport->tls_validation_flags = G_TLS_CERTIFICATE_VALIDATE_ALL;
  return transport;
}

void
fal_transport_free (FalTransport *transport)
{
  if (transport->under_way > 0)
    fal_transport_hurry (transport);
  while (transport->under_way > 0)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  free_session (transport, transport->soup);
  fal_timer_free (transport->timer);
  g_clear_object (&transport->tls_database);
  g_clear_pointer (&transport->extra_headers, gst_structure_free);
  g_free (transport->proxy_uri);
  g_free (transport->proxy);
  g_free (transport->proxy_login);
  g_free (transport);
}

/* Setting no database would mean to trust nobody, not those whom the system trusts. */
static void
set_tls_database (FalTransport *transport)
{
  if (transport->tls_database)
    soup_session_set_tls_database (transport->soup, transport->tls_database);
}

void
fal_transport_renew (FalTransport *transport)
{
  SoupSession *old = transport->soup;

  if (!transport->used || transport->under_way > 0)
    return;
  transport->used = FALSE;
  transport->soup = make_session (transport);
  soup_session_set_user_agent (transport->soup, soup_session_get_user_agent (old));
  soup_session_set_proxy_resolver (transport->soup, soup_session_get_proxy_resolver (old));
  set_tls_database (transport);
  free_session (transport, old);
}

void
fal_transport_configure (FalTransport *transport, const FalSettings *settings)
{
  const gchar *agent = settings->user_agent ? settings->user_agent : "gst-fal/" FAL_VERSION;

  transport->tls_validation_flags = settings->tls_validation_flags;
  g_clear_pointer (&transport->extra_headers, gst_structure_free);
  if (settings->extra_headers)
    transport->extra_headers = gst_structure_copy (settings->extra_headers);
  set_proxy (transport, settings->proxy);
  soup_session_set_user_agent (transport->soup, agent);
  if (g_set_object (&transport->tls_database, settings->tls_database))
    set_tls_database (transport);
}

SoupSession *
fal_transport_get_session (FalTransport *transport)
{
  return transport->soup;
}

void
fal_transport_begin (FalTransport *transport)
{
  transport->used = TRUE;
  transport->under_way++;
}

void
fal_transport_end (FalTransport *transport)
{
  transport->under_way--;
}

GTlsCertificateFlags
fal_transport_weigh (FalTransport *transport, GTlsCertificateFlags errors)
{
  return errors & transport->tls_validation_flags;
}

const gchar *
fal_transport_get_proxy (FalTransport *transport)
{
  return transport->proxy;
}
