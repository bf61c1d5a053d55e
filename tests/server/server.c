/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The local server: addresses and threads. The SoupServer, the access control and the sessions live
 * in a loop of their own; what tests call runs in it and is waited for, or goes to the state. */
#include "server.h"
#include "access-control.h"
#include "certificate.h"
#include "loop.h"
#include "message-holder.h"
#include "server-session.h"
#include "server-state.h"

#define MAX_REQUESTS 4096 /* kept for fal_server_pop_request() */

struct _FalServer {
  gchar *uri;
  FalServerState *state;         /* the one part that is shared by threads */
  FalServerSessionConfig config; /* fixed */
  gchar *result_url;             /* which the configuration refers to */
  guint most_connections;        /* that are let in; 0: all */
  FalLoop *loop;

  /* Server's thread: */
  SoupServer *soup;
  FalAccessControl *access;
  GPtrArray *sessions; /* FalServerSession, those whose socket has not closed */
  guint n_sessions;    /* made so far */
};

/* ---- Upgrades ---- */

static void
on_closed (FalServerSession *session, gpointer user)
{
  FalServer *server = user;

  fal_server_state_add (server->state, FAL_COUNT_OPEN, -1);
  g_ptr_array_remove (server->sessions, session);
}

static void
on_websocket (SoupServer *soup, SoupServerMessage *message, const char *path,
    SoupWebsocketConnection *socket, gpointer user)
{
  FalServer *server = user;
  FalServerSession *session =
      fal_server_session_new (socket, soup_server_message_get_socket (message), &server->config,
          ++server->n_sessions, server->state, on_closed, server);

  g_ptr_array_add (server->sessions, session);
  fal_message_holder_release (soup, message);
  fal_server_state_add (server->state, FAL_COUNT_OPEN, 1);
}

/* Any owner and alias are an app, but for the owner "missing". */
static gboolean
is_app (const gchar *path)
{
  g_auto (GStrv) parts = g_strsplit (path + 1, "/", 3);

  return g_strv_length (parts) >= 2 && *parts[0] && *parts[1] && !g_str_equal (parts[0], "missing");
}

static guint
judge_upgrade (FalServer *server, SoupServerMessage *message)
{
  guint refusal = fal_server_state_get_refusal (server->state);
  guint most = server->most_connections;

  if (refusal != 0)
    return refusal;
  if (most > 0 && fal_server_state_get (server->state, FAL_COUNT_CONNECTIONS) >= most)
    return 429; /* libsoup has no name for it */
  if (!is_app (g_uri_get_path (soup_server_message_get_uri (message))))
    return SOUP_STATUS_NOT_FOUND;
  return fal_access_control_allows (server->access, message) ? 0 : SOUP_STATUS_UNAUTHORIZED;
}

static gboolean
is_upgrade (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);

  return soup_message_headers_header_contains (headers, "Upgrade", "websocket");
}

/* Comes before the upgrade is answered: a status set here refuses it. */
static void
on_request_head (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
    gpointer user)
{
  FalServer *server = user;
  GUri *uri = soup_server_message_get_uri (message);
  const gchar *text = g_uri_get_query (uri);
  g_autofree gchar *target = g_strconcat (g_uri_get_path (uri), text ? "?" : NULL, text, NULL);
  guint status;

  if (!is_upgrade (message))
    return;
  fal_server_state_set_target (server->state, target);
  status = judge_upgrade (server, message);
  if (status != 0)
    soup_server_message_set_status (message, status, status == 429 ? "Too Many Requests" : NULL);
  else /* here, so that a client which is let in finds itself counted */
    fal_server_state_add (server->state, FAL_COUNT_CONNECTIONS, 1);
}

/* ---- Token requests ---- */

static gboolean
is_token_path (const gchar *path)
{
  return g_str_equal (path, "/tokens/") || g_str_equal (path, "/tokens/realtime");
}

/* A proxy stands in for the token request: it holds the key, and is told where the request was
 * meant to go. */
static gboolean
is_for_proxy (SoupServerMessage *message, const gchar *path)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);

  return g_str_equal (path, "/proxy") &&
         soup_message_headers_get_one (headers, "x-fal-target-url") != NULL;
}

static void
on_request (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
    gpointer user)
{
  FalServer *server = user;
  gboolean proxy = is_for_proxy (message, path);

  if (is_upgrade (message)) /* comes by here first */
    return;
  if (!proxy && !is_token_path (path)) {
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
  } else if (soup_server_message_get_method (message) != SOUP_METHOD_POST) {
    soup_server_message_set_status (message, SOUP_STATUS_METHOD_NOT_ALLOWED, NULL);
  } else {
    fal_server_state_add (server->state, FAL_COUNT_TOKEN_REQUESTS, 1);
    fal_access_control_issue_token (server->access, message, proxy);
  }
}

/* ---- Start and end ---- */

/* Without the two files it speaks plain ws. */
static gboolean
take_certificate (FalServer *server, const FalServerOptions *options, GError **error)
{
  g_autoptr (GTlsCertificate) certificate = NULL;

  if (options->tls_certificate == NULL && options->tls_key == NULL)
    return TRUE;
  certificate = fal_certificate_load (options->tls_certificate, options->tls_key, error);
  if (certificate == NULL)
    return FALSE;
  soup_server_set_tls_certificate (server->soup, certificate);
  return TRUE;
}

static gboolean
start_to_listen (FalServer *server, const gchar *address, guint port, GError **error)
{
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new_from_string (address, port);
  gboolean tls = soup_server_get_tls_certificate (server->soup) != NULL;
  SoupServerListenOptions how = tls ? SOUP_SERVER_LISTEN_HTTPS : 0;
  g_autoslist (GUri) uris = NULL;

  soup_server_add_early_handler (server->soup, NULL, on_request_head, server, NULL);
  soup_server_add_websocket_handler (server->soup, NULL, NULL, NULL, on_websocket, server, NULL);
  soup_server_add_handler (server->soup, NULL, on_request, server, NULL);
  if (!soup_server_listen (server->soup, where, how, error)) {
    g_prefix_error (error, "Could not listen on port %u of %s, choose another: ", port, address);
    return FALSE;
  }
  uris = soup_server_get_uris (server->soup);
  server->uri =
      g_strdup_printf ("%s://%s:%d", tls ? "wss" : "ws", address, g_uri_get_port (uris->data));
  return TRUE;
}

static gboolean
check_name (const gchar *kind, const gchar *name, gconstpointer found, gchar *names, GError **error)
{
  g_autofree gchar *known = names;

  if (found == NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "There is no %s \"%s\", choose one of: %s", kind, name, known);
  return found != NULL;
}

/* Fills in the configuration; an unknown name is an error that lists the known ones. */
static gboolean
take_options (FalServer *server, const FalServerOptions *options, GError **error)
{
  const gchar *schema = options->schema ? options->schema : "turbo";
  const gchar *effect = options->effect ? options->effect : "invert";

  server->result_url = g_strdup (options->result_url);
  server->most_connections = options->most_connections;
  server->config = (FalServerSessionConfig) { .model = { .schema = fal_schema_find (schema),
                                                  .echo_request_id = !options->no_echo_request_id,
                                                  .refuse_unknown = options->refuse_unknown,
                                                  .result_url = server->result_url },
    .jitter_percent = options->jitter_percent,
    .slowness = MAX (options->slowness, 1),
    .buffering = options->buffering,
    .notice_ms = options->notice_ms,
    .results = MAX (options->results, 1),
    .end_after_results = options->end_after_results,
    .max_message = options->max_message,
    .ready_delay_ms = options->ready_delay_ms,
    .timings = options->timings };
  fal_server_state_set_effect (server->state, fal_model_find_effect (effect));
  fal_server_state_set_delay (server->state, options->delay_ms);
  fal_server_state_set_session_timeout (server->state, options->session_timeout_ms);
  return check_name (
             "schema", schema, server->config.model.schema, fal_schema_dup_names (), error) &&
         check_name ("effect", effect, fal_model_find_effect (effect),
             fal_model_dup_effect_names (), error);
}

/* What answers blocks looks at each frame as it comes, and cannot wait for a command. */
static gboolean
start_command (FalServer *server, const FalServerOptions *options, GError **error)
{
  if (options->effect_command == NULL)
    return TRUE;
  if (options->effect != NULL || server->config.model.schema->block > 0) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "A command takes an effect's place and goes with no schema that answers blocks: leave out "
        "the one or the other");
    return FALSE;
  }
  server->config.thread =
      fal_model_thread_new (options->effect_command, options->effect_timeout_ms, error);
  if (server->config.thread == NULL)
    g_prefix_error (error, "Could not start the command \"%s\": ", options->effect_command);
  return server->config.thread != NULL;
}

typedef struct {
  const FalServerOptions *options;
  GError *error;
} Start;

static void
start (gpointer owner, gpointer data)
{
  FalServer *server = owner;
  Start *how = data;

  server->soup = soup_server_new ("server-header", "fal-local-server ", NULL);
  fal_message_holder_attach (server->soup);
  /* It costs more than the model, and pictures do not get smaller. */
  if (!how->options->deflate)
    soup_server_remove_websocket_extension (server->soup, SOUP_TYPE_WEBSOCKET_EXTENSION_DEFLATE);
  if (take_certificate (server, how->options, &how->error))
    start_to_listen (server, how->options->address ? how->options->address : "127.0.0.1",
        how->options->port, &how->error);
}

FalServer *
fal_server_new (const FalServerOptions *options, GError **error)
{
  g_autoptr (FalServer) server = g_new0 (FalServer, 1);
  Start how = { options, NULL };

  server->state = fal_server_state_new (options->forget_requests ? 0 : MAX_REQUESTS);
  server->access = fal_access_control_new (options->token, options->api_key);
  server->sessions = g_ptr_array_new_with_free_func ((GDestroyNotify) fal_server_session_free);
  server->loop = fal_loop_new ("fal-server");
  if (!take_options (server, options, error) || !start_command (server, options, error))
    return NULL;
  fal_loop_call (server->loop, start, server, &how);
  if (how.error != NULL) {
    g_propagate_error (error, how.error);
    return NULL;
  }
  return g_steal_pointer (&server);
}

static void
cut_all (gpointer owner, gpointer data)
{
  FalServer *server = owner;

  fal_server_state_add (server->state, FAL_COUNT_OPEN, -(gint) server->sessions->len);
  g_ptr_array_set_size (server->sessions, 0);
}

static void
shut_down (gpointer owner, gpointer data)
{
  FalServer *server = owner;

  cut_all (server, NULL);
  if (server->soup != NULL)
    soup_server_disconnect (server->soup);
}

void
fal_server_free (FalServer *server)
{
  fal_loop_call (server->loop, shut_down, server, NULL);
  g_clear_pointer (&server->config.thread, fal_model_thread_free);
  fal_loop_free (server->loop); /* after what the model's thread still had to tell to it */
  g_clear_object (&server->soup);
  g_ptr_array_unref (server->sessions);
  fal_access_control_free (server->access);
  fal_server_state_free (server->state);
  g_free (server->result_url);
  g_free (server->uri);
  g_free (server);
}

/* ---- What it saw ---- */

const gchar *
fal_server_get_uri (FalServer *server)
{
  return server->uri;
}

guint
fal_server_get_connections (FalServer *server)
{
  return fal_server_state_get (server->state, FAL_COUNT_CONNECTIONS);
}

guint
fal_server_get_open (FalServer *server)
{
  return fal_server_state_get (server->state, FAL_COUNT_OPEN);
}

gint64
fal_server_get_billed_time (FalServer *server)
{
  return fal_server_state_get_billed_time (server->state);
}

guint
fal_server_get_requests (FalServer *server)
{
  return fal_server_state_get (server->state, FAL_COUNT_REQUESTS);
}

guint
fal_server_get_dropped (FalServer *server)
{
  return fal_server_state_get (server->state, FAL_COUNT_DROPPED);
}

guint
fal_server_get_token_requests (FalServer *server)
{
  return fal_server_state_get (server->state, FAL_COUNT_TOKEN_REQUESTS);
}

guint
fal_server_get_inferences (FalServer *server)
{
  return fal_server_state_get (server->state, FAL_COUNT_INFERENCES);
}

guint
fal_server_get_model_time (FalServer *server)
{
  return fal_server_state_get (server->state, FAL_COUNT_MODEL_TIME);
}

FalReceivedRequest *
fal_server_pop_received (FalServer *server, guint timeout_ms)
{
  return fal_server_state_pop (server->state, timeout_ms);
}

GstStructure *
fal_server_pop_request (FalServer *server, guint timeout_ms)
{
  g_autoptr (FalReceivedRequest) received = fal_server_state_pop (server->state, timeout_ms);

  return received ? g_steal_pointer (&received->request) : NULL;
}

gchar *
fal_server_dup_last_target (FalServer *server)
{
  return fal_server_state_dup_target (server->state);
}

/* ---- How it misbehaves ---- */

void
fal_server_set_delay (FalServer *server, guint delay_ms)
{
  fal_server_state_set_delay (server->state, delay_ms);
}

void
fal_server_set_session_timeout (FalServer *server, guint timeout_ms)
{
  fal_server_state_set_session_timeout (server->state, timeout_ms);
}

void
fal_server_set_effect (FalServer *server, const gchar *effect)
{
  const FalEffect *found = fal_model_find_effect (effect);

  g_return_if_fail (found != NULL);
  fal_server_state_set_effect (server->state, found);
}

void
fal_server_set_answer (FalServer *server, GBytes *message, gboolean text)
{
  fal_server_state_set_answer (server->state, message, text);
}

void
fal_server_set_mute (FalServer *server, gboolean mute)
{
  fal_server_state_set_mute (server->state, mute);
}

void
fal_server_set_refusal (FalServer *server, guint status)
{
  fal_server_state_set_refusal (server->state, status);
}

typedef struct {
  GBytes *message;
  gboolean text;
} Sending;

static void
send_to_all (gpointer owner, gpointer data)
{
  FalServer *server = owner;
  const Sending *sending = data;

  for (guint i = 0; i < server->sessions->len; i++)
    fal_server_session_send (server->sessions->pdata[i], sending->message, sending->text);
}

void
fal_server_send (FalServer *server, GBytes *message, gboolean text)
{
  Sending sending = { message, text };

  fal_loop_call (server->loop, send_to_all, server, &sending);
}

typedef struct {
  gushort code;
  const gchar *reason;
} Closing;

static void
close_all (gpointer owner, gpointer data)
{
  FalServer *server = owner;
  const Closing *closing = data;

  for (guint i = 0; i < server->sessions->len; i++)
    fal_server_session_close (server->sessions->pdata[i], closing->code, closing->reason);
}

void
fal_server_close (FalServer *server, gushort code, const gchar *reason)
{
  Closing closing = { code, reason };

  if (code == 0)
    fal_loop_call (server->loop, cut_all, server, NULL);
  else
    fal_loop_call (server->loop, close_all, server, &closing);
}

static void
cut_one (gpointer owner, gpointer data)
{
  FalServer *server = owner;
  const guint *number = data;

  for (guint i = 0; i < server->sessions->len; i++) {
    if (fal_server_session_get_number (server->sessions->pdata[i]) != *number)
      continue;
    fal_server_state_add (server->state, FAL_COUNT_OPEN, -1);
    g_ptr_array_remove_index (server->sessions, i);
    return;
  }
}

void
fal_server_cut (FalServer *server, guint connection)
{
  fal_loop_call (server->loop, cut_one, server, &connection);
}
