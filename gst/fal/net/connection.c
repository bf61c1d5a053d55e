/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection: the dialer decides when to try, an attempt tries, and a WebSocket comes of it.
 * Everything here runs on the net thread, in the main context that was its default when the
 * connection was made. */
#include "connection.h"
#include "attempt.h"
#include "fal/settings/app-profiles.h"
#include "timer.h"
#include "transport.h"
#include "websocket.h"

#include <string.h>

struct _FalConnection {
  FalEndpoint *endpoint;
  FalConnectionEvents events;
  gpointer user;

  FalSettings *settings;
  FalTransport *transport;
  FalCredentials *credentials;
  FalDialer *dialer;
  FalDialerState shown_state;
  FalTimer *timer; /* does what the dialer says when its time has come */

  FalAttempt *attempt;     /* under way; NULL: none */
  FalWebsocket *websocket; /* that came of it; NULL: none is open */
  FalWay way;              /* how that attempt shows, or showed, who it is */
  gchar *token;            /* that it shows; NULL: none, or none yet */
  gboolean greeted;        /* the app said that it is ready as those of WebRTC do, and no more */
  gboolean was_heard;      /* a message came over this WebSocket */
  gsize biggest;           /* message that was sent over it */
  guint unanswered;        /* messages that were sent over it: no result or error came for them */
  FalConnectionCounts counts;
};

/* Servers bound the size of messages, and not all of them say so: those below pass anywhere. */
#define SMALL_MESSAGE (64 * 1024)

/* ---- the end of an attempt or WebSocket ---- */

static void
show_state (FalConnection *connection)
{
  FalDialerState state = fal_dialer_get_state (connection->dialer);

  fal_timer_set (
      connection->timer, fal_dialer_next_time (connection->dialer, g_get_monotonic_time ()));
  if (state == connection->shown_state)
    return;
  connection->shown_state = state;
  connection->events.state_changed (connection->user, state);
}

static void
drop_websocket (FalConnection *connection)
{
  FalConnectionCounts *counts = &connection->counts;

  if (connection->websocket == NULL)
    return;
  counts->connected_time += g_get_monotonic_time () - counts->connected_since;
  counts->connected_since = 0;
  g_clear_pointer (&connection->websocket, fal_websocket_drop);
}

/* Whatever is under way or open ends, and tells nothing any more. */
static void
drop_all (FalConnection *connection)
{
  g_clear_pointer (&connection->attempt, fal_attempt_drop);
  drop_websocket (connection);
  g_clear_pointer (&connection->token, g_free);
}

static FalDialerConfig
make_dialer_config (const FalSettings *settings, FalWay way)
{
  return (FalDialerConfig){
    .retries = settings->retries,
    .retry_delay = settings->retry_delay * G_TIME_SPAN_MILLISECOND,
    .max_retry_delay = settings->max_retry_delay * G_TIME_SPAN_MILLISECOND,
    .connect_timeout = settings->connect_timeout * G_TIME_SPAN_MILLISECOND,
    .fetches_token = fal_way_asks (way),
  };
}

/* How the next attempt shows who it is; the dialer is told whether it begins with a question. */
static FalWay
choose_way (FalConnection *connection)
{
  gboolean has_provider = connection->events.has_provider (connection->user);
  FalWay way = fal_credentials_choose (
      connection->credentials, has_provider, g_get_real_time () / G_USEC_PER_SEC);
  FalDialerConfig config = make_dialer_config (connection->settings, way);

  fal_dialer_configure (connection->dialer, &config);
  return way;
}

static gboolean
is_asking (const FalConnection *connection)
{
  return fal_way_asks (connection->way) && connection->token == NULL;
}

/* Remembers what was refused, and says in *@what which it was. */
static void
note_refusal (FalConnection *connection, gchar **what)
{
  g_autofree gchar *text = *what;
  gboolean asking = is_asking (connection);
  g_autofree gchar *shown =
      fal_credentials_describe (connection->credentials, connection->way, asking);

  *what = g_strdup_printf (
      "%s; %s%s", text, asking || connection->way == FAL_WAY_NONE ? "" : "it was shown ", shown);
  if (connection->token)
    fal_credentials_refuse (connection->credentials, connection->token);
}

/* ---- what a user can do ---- */

/* Whether the link broke at a message that was perhaps too big for the server. */
static gboolean
may_be_too_big (const FalConnection *connection, const FalFault *fault)
{
  gboolean broke =
      fault->kind == FAL_FAULT_NETWORK ||
      (fault->kind == FAL_FAULT_CLOSED && fault->code == SOUP_WEBSOCKET_CLOSE_ABNORMAL);

  return connection->websocket && broke && !connection->was_heard &&
         connection->biggest > SMALL_MESSAGE;
}

/* Whether the server may have refused since no such app is there. */
static gboolean
may_be_unknown (const FalFault *fault)
{
  static const guint statuses[] = { SOUP_STATUS_BAD_REQUEST, SOUP_STATUS_UNAUTHORIZED,
    SOUP_STATUS_FORBIDDEN, SOUP_STATUS_NOT_FOUND, SOUP_STATUS_UNPROCESSABLE_ENTITY };

  for (guint i = 0; i < G_N_ELEMENTS (statuses); i++)
    if (fault->code == statuses[i])
      return fault->kind == FAL_FAULT_HTTP || fault->kind == FAL_FAULT_TOKEN;
  return FALSE;
}

/* @hint, and where a key comes from, and which app was perhaps meant. */
static gchar *
extend_hint (const FalConnection *connection, const FalFault *fault, const gchar *hint)
{
  g_autoptr (GStrvBuilder) sentences = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;
  g_autofree gchar *meant =
      may_be_unknown (fault) ? fal_app_profile_suggest (connection->settings->app) : NULL;
  gboolean refused = fal_dialer_classify (connection->dialer, fault) == FAL_FAULT_CLASS_CREDENTIALS;

  if (!meant || fault->code != SOUP_STATUS_NOT_FOUND)
    g_strv_builder_add (sentences, hint);
  if (refused && connection->way == FAL_WAY_NONE && fal_endpoint_is_fal (connection->endpoint))
    g_strv_builder_add (sentences, FAL_KEY_HINT);
  if (meant)
    g_strv_builder_add (sentences, meant);
  list = g_strv_builder_end (sentences);
  return g_strjoinv (" ", list);
}

/* The fault's own hint, or one that knows more. */
static gchar *
make_hint (const FalConnection *connection, const FalFault *fault)
{
  FalFaultClass class = fal_dialer_classify (connection->dialer, fault);
  const gchar *hint = NULL;

  if (class != fal_fault_get_class (fault) && class == FAL_FAULT_CLASS_TRANSIENT)
    hint = "A connection stood before, so this may be the network's doing: a portal, proxy or "
           "balancer.";
  else if (class == FAL_FAULT_CLASS_CREDENTIALS)
    hint = fal_credentials_get_hint (connection->way, is_asking (connection));
  if (hint == NULL)
    hint = fal_fault_get_hint (fault);
  if (may_be_too_big (connection, fault))
    return g_strdup_printf ("%s Or the server takes no request of %" G_GSIZE_FORMAT
                            " bytes: lower width, height or quality.",
        hint, connection->biggest);
  return extend_hint (connection, fault, hint);
}

/* Why nothing more is tried, where that is not due to the fault itself. */
static gchar *
describe_end (const FalConnection *connection)
{
  gint retries = connection->settings->retries;

  switch (fal_dialer_get_end (connection->dialer)) {
  case FAL_DIALER_END_RETRIES:
    return g_strdup_printf (retries > 0 ? " Giving up after as many attempts as retries=%d allows."
                                        : " Giving up, since retries=%d allows no other attempt.",
        retries);
  case FAL_DIALER_END_NEVER_STOOD:
    return g_strdup (" Giving up, since no connection ever stood.");
  case FAL_DIALER_END_TIMEOUTS:
    return g_strdup_printf (
        " Giving up after connect-timeout has passed %u times in a row.", FAL_DIALER_MAX_TIMEOUTS);
  case FAL_DIALER_END_ERRORS:
    return g_strdup_printf (
        " Giving up after %u errors without a result.", FAL_DIALER_MAX_SERVER_ERRORS);
  case FAL_DIALER_END_FAULT:
    break;
  }
  return g_strdup ("");
}

static GError *
make_error (const FalConnection *connection, FalVerdict verdict, const FalFault *fault,
    const gchar *what, const gchar *hint)
{
  g_autofree gchar *address = fal_endpoint_describe (connection->endpoint);
  g_autofree gchar *end = verdict == FAL_VERDICT_FAIL ? describe_end (connection) : g_strdup ("");
  gboolean again = verdict == FAL_VERDICT_WARN || verdict == FAL_VERDICT_AGAIN;

  return g_error_new (G_IO_ERROR, fal_fault_get_error_code (fault), "%s: %s. %s%s", address, what,
      hint, again ? " Trying again." : end);
}

/* An app of which nothing is known here may be none at all. */
static gboolean
is_unknown_app (const FalConnection *connection, const FalFault *fault)
{
  return fault->kind == FAL_FAULT_HTTP && fault->code == SOUP_STATUS_NOT_FOUND &&
         fal_dialer_classify (connection->dialer, fault) == FAL_FAULT_CLASS_PERMANENT &&
         *fal_app_profile_find (connection->settings->app)->app == '\0';
}

static void
name_app (const FalConnection *connection, gchar **what)
{
  const FalEndpoint *endpoint = connection->endpoint;
  const gchar *path = endpoint->path + 1 + strlen (endpoint->app);

  g_free (*what);
  *what = g_strdup_printf ("there is no app %s%s%s (HTTP status %u)", endpoint->app,
      *path ? ", or it has no path " : "", path, SOUP_STATUS_NOT_FOUND);
}

/* The attempt or WebSocket is over: asks the dialer what that means, and tells the owner. */
static void
end (gpointer user, const FalFault *fault, const gchar *what)
{
  FalConnection *connection = user;
  gboolean refused = fal_dialer_classify (connection->dialer, fault) == FAL_FAULT_CLASS_CREDENTIALS;
  g_autofree gchar *text = g_strdup (what);
  g_autofree gchar *hint = make_hint (connection, fault);
  g_autoptr (GError) error = NULL;
  FalVerdict verdict;

  if (refused && fault->kind != FAL_FAULT_STALE)
    note_refusal (connection, &text);
  if (is_unknown_app (connection, fault))
    name_app (connection, &text);
  drop_all (connection);
  choose_way (connection);
  verdict =
      fal_dialer_fault (connection->dialer, fault, g_get_monotonic_time (), g_random_double ());
  error = make_error (connection, verdict, fault, text, hint);
  connection->events.ended (connection->user, verdict, fault, error);
  show_state (connection);
}

/* ---- what the WebSocket tells ---- */

static void
on_message (gpointer user, GBytes *message, gboolean text)
{
  FalConnection *connection = user;

  connection->counts.bytes_received += g_bytes_get_size (message);
  connection->was_heard = TRUE;
  connection->events.message (connection->user, message, text);
}

/* ---- what the attempt tells ---- */

static void
on_request_token (gpointer user, FalTokenPromise *promise)
{
  FalConnection *connection = user;

  connection->events.request_token (connection->user, promise);
}

static void
on_token_chosen (gpointer user, const gchar *token)
{
  FalConnection *connection = user;

  connection->token = g_strdup (token);
  fal_dialer_token_arrived (connection->dialer);
  show_state (connection);
}

static gboolean
on_accept_certificate (
    gpointer user, GTlsConnection *tls, GTlsCertificate *certificate, GTlsCertificateFlags errors)
{
  FalConnection *connection = user;

  return connection->events.accept_certificate (connection->user, tls, certificate, errors);
}

static void
on_opened (gpointer user, SoupWebsocketConnection *socket)
{
  static const FalWebsocketEvents events = {
    .message = on_message,
    .ended = end,
  };
  FalConnection *connection = user;

  g_clear_pointer (&connection->attempt, fal_attempt_drop);
  connection->websocket =
      fal_websocket_new (socket, connection->settings->max_message_size, &events, connection);
  connection->greeted = connection->was_heard = FALSE;
  connection->biggest = connection->unanswered = 0;
  connection->counts.connections++;
  connection->counts.connected_since = g_get_monotonic_time ();
  fal_dialer_opened (connection->dialer);
  connection->events.opened (connection->user);
  show_state (connection);
}

/* ---- what the dialer says ---- */

static void
start_attempt (FalConnection *connection, FalWay way)
{
  static const FalAttemptEvents events = {
    .request_token = on_request_token,
    .token_chosen = on_token_chosen,
    .accept_certificate = on_accept_certificate,
    .opened = on_opened,
    .failed = end,
  };
  const FalAttemptConfig config = {
    .way = way,
    .endpoint = connection->endpoint,
    .credentials = connection->credentials,
    .transport = connection->transport,
    .settings = connection->settings,
  };

  connection->way = way;
  fal_transport_renew (connection->transport);
  if (fal_way_asks (way))
    connection->counts.token_requests++;
  connection->attempt = fal_attempt_new (&config, &events, connection);
  fal_attempt_start (connection->attempt);
}

/* Does what the dialer says, once. */
static void
step (FalConnection *connection)
{
  FalWay way = choose_way (connection);

  switch (fal_dialer_next_action (connection->dialer, g_get_monotonic_time ())) {
  case FAL_DIAL_FETCH_TOKEN:
  case FAL_DIAL_CONNECT:
    start_attempt (connection, way);
    break;
  case FAL_DIAL_GIVE_UP_ATTEMPT:
    fal_attempt_give_up (connection->attempt);
    break;
  case FAL_DIAL_NOTHING:
    break;
  }
  show_state (connection);
}

static void
on_timer (gpointer data)
{
  step (data);
}

/* ---- life ---- */

FalConnection *
fal_connection_new (
    FalEndpoint *endpoint, FalSettings *settings, const FalConnectionEvents *events, gpointer user)
{
  FalConnection *connection = g_new0 (FalConnection, 1);
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  connection->endpoint = endpoint;
  connection->events = *events;
  connection->user = user;
  connection->settings = fal_settings_ref (settings);
  connection->transport = fal_transport_new ();
  connection->credentials = fal_credentials_new ();
  connection->dialer = fal_dialer_new ();
  connection->timer = fal_timer_new (context, on_timer, connection);
  return connection;
}

void
fal_connection_free (FalConnection *connection)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  if (connection->websocket)
    fal_websocket_say_goodbye (connection->websocket);
  drop_all (connection);
  fal_timer_set (connection->timer, G_MAXINT64); /* nothing is begun any more */
  fal_transport_free (connection->transport);
  while (g_main_context_iteration (context, FALSE))
    ;
  fal_timer_free (connection->timer);
  fal_dialer_free (connection->dialer);
  fal_endpoint_free (connection->endpoint);
  fal_credentials_free (connection->credentials);
  fal_settings_unref (connection->settings);
  g_free (connection);
}

void
fal_connection_configure (
    FalConnection *connection, FalSettings *settings, const gchar *api_key, FalKeyOrigin origin)
{
  fal_settings_unref (connection->settings);
  connection->settings = fal_settings_ref (settings);
  fal_transport_configure (connection->transport, settings);
  /* A token that is new gets a chance of its own, whatever was refused before it. */
  if (fal_credentials_configure (connection->credentials, settings, api_key, origin))
    fal_dialer_forgive (connection->dialer);
  choose_way (connection);
}

/* ---- what the owner says ---- */

void
fal_connection_want (FalConnection *connection)
{
  fal_dialer_want (connection->dialer);
  step (connection);
}

gboolean
fal_connection_send (FalConnection *connection, GBytes *message)
{
  if (connection->websocket == NULL || !fal_websocket_send (connection->websocket, message))
    return FALSE;
  connection->counts.bytes_sent += g_bytes_get_size (message);
  connection->biggest = MAX (connection->biggest, g_bytes_get_size (message));
  connection->unanswered++;
  return TRUE;
}

void
fal_connection_note_result (FalConnection *connection)
{
  connection->greeted = FALSE;
  connection->unanswered -= connection->unanswered > 0;
  fal_dialer_result_arrived (connection->dialer);
  show_state (connection);
}

void
fal_connection_note_idle (FalConnection *connection)
{
  fal_dialer_idle_announced (connection->dialer);
}

void
fal_connection_note_greeting (FalConnection *connection)
{
  connection->greeted = TRUE;
}

void
fal_connection_note_error_answer (FalConnection *connection, const gchar *what)
{
  const FalFault fault = { FAL_FAULT_SERVER, FAL_SERVER_FAULT_ENDLESS };

  connection->greeted = FALSE;
  /* More errors than requests are a storm, and say no more than the first. */
  if (connection->websocket == NULL || connection->unanswered == 0)
    return;
  connection->unanswered--;
  if (fal_dialer_error_arrived (connection->dialer, g_get_monotonic_time ()))
    end (connection, &fault, what);
}

void
fal_connection_fail (FalConnection *connection, FalFaultKind kind, const gchar *detail)
{
  gboolean is_silence = kind == FAL_FAULT_SILENT || kind == FAL_FAULT_LOADING;
  const FalFault fault = { kind, is_silence && connection->greeted };

  if (connection->attempt || connection->websocket)
    end (connection, &fault, detail ? detail : fal_fault_describe (kind));
}

void
fal_connection_close (FalConnection *connection)
{
  const FalFault fault = { FAL_FAULT_ASKED };
  const FalWebsocket *websocket = connection->websocket;

  if (websocket)
    fal_websocket_say_goodbye (connection->websocket);
  /* Else another source of the context has ended it, and told so, while the goodbye was said. */
  if (connection->websocket == websocket)
    end (connection, &fault, "closed");
}

/* ---- questions ---- */

FalSocketGuard *
fal_connection_get_guard (FalConnection *connection)
{
  return connection->websocket ? fal_websocket_get_guard (connection->websocket) : NULL;
}

const gchar *
fal_connection_get_token (FalConnection *connection)
{
  return connection->token;
}

guint
fal_connection_get_attempt (FalConnection *connection)
{
  return fal_dialer_get_attempt (connection->dialer);
}

const FalConnectionCounts *
fal_connection_get_counts (FalConnection *connection)
{
  return &connection->counts;
}
