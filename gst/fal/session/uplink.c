/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The member of a connection. */
#include "uplink.h"
#include "fal/net/preflight.h"
#include "fal/policy/patience.h"

/* One of the connections, as a member of it. */
typedef struct {
  FalUplink *uplink;
  guint number;
  gchar *fault; /* how the server called the error that it ends with; or NULL */
  gboolean stands;
  gboolean outage; /* it ended, which was told, or would have been told if it were the only one */
  GError *untold;  /* why it is not tried any more, where no other stood then; or NULL */
} Lane;

struct _FalUplink {
  FalSharedState *state;
  FalReporter *reporter;
  const FalSessionOwner *owner;
  FalUplinkEvents events;
  gpointer user;

  /* Set while connecting, before any event; then the net thread's. */
  FalSharedConnection *connection; /* NULL: none */
  guint member;
  gchar *base_uri;
  gchar *file_key;      /* or NULL */
  FalTimer *timer;      /* fires where there are orders */
  FalDialerState shown; /* the state that the owner was told, */
  gint64 since;         /* and when */
  FalTimer *patience;   /* fires where it has been the same for long; NULL: not begun */
  Lane lanes[FAL_MAX_CONNECTIONS];
  guint n_lanes;
};

FalUplink *
fal_uplink_new (FalSharedState *state, FalReporter *reporter, const FalSessionOwner *owner,
    const FalUplinkEvents *events, gpointer user)
{
  FalUplink *uplink = g_new0 (FalUplink, 1);

  uplink->state = state;
  uplink->reporter = reporter;
  uplink->owner = owner;
  uplink->events = *events;
  uplink->user = user;
  for (guint i = 0; i < FAL_MAX_CONNECTIONS; i++)
    uplink->lanes[i] = (Lane) { .uplink = uplink, .number = i };
  return uplink;
}

void
fal_uplink_free (FalUplink *uplink)
{
  g_free (uplink);
}

static FalConnection *
get_connection (const Lane *lane)
{
  return fal_shared_connection_get_connection (lane->uplink->connection, lane->number);
}

static const FalConnectionCounts *
get_counts (const Lane *lane)
{
  return fal_connection_get_counts (get_connection (lane));
}

/* ---- waits ---- */

static void
wait_on (FalUplink *uplink, gint64 now)
{
  gint64 next = fal_patience_get_next (uplink->shown, now - uplink->since);

  fal_timer_set (uplink->patience, next < G_MAXINT64 ? uplink->since + next : next);
}

static void
on_patience (gpointer data)
{
  FalUplink *uplink = data;
  gint64 now = g_get_monotonic_time (), waited = now - uplink->since;

  if (waited >= fal_patience_get_next (uplink->shown, 0) &&
      fal_shared_state_is_awaited (uplink->state, uplink->shown))
    fal_reporter_tell_still (uplink->reporter, uplink->shown, waited / G_TIME_SPAN_SECOND);
  wait_on (uplink, now);
}

/* The owner is told of the state now. */
static void
wait_anew (FalUplink *uplink, FalDialerState state)
{
  if (uplink->patience == NULL)
    uplink->patience = fal_shared_connection_new_timer (uplink->connection, on_patience, uplink);
  uplink->shown = state;
  uplink->since = g_get_monotonic_time ();
  wait_on (uplink, uplink->since);
}

/* ---- what is set ---- */

/* The key that holds: one that was set, else the file's as it was at the start, else the
 * environment's. */
static const gchar *
get_api_key (const FalUplink *uplink, const FalSettings *settings, FalKeyOrigin *origin)
{
  gboolean is_set = settings->api_key && settings->api_key_origin == FAL_KEY_FROM_PROPERTY;

  *origin = settings->api_key_origin;
  if (uplink->file_key == NULL || is_set)
    return settings->api_key;
  *origin = FAL_KEY_FROM_FILE;
  return uplink->file_key;
}

static gboolean
owner_has_provider (const FalUplink *uplink)
{
  return uplink->owner->events.has_provider (uplink->owner->user);
}

/* At the start the settings were found good; a change that is not is left out as a whole. */
static void
configure (FalUplink *uplink)
{
  g_autoptr (FalSettings) settings = fal_shared_state_dup_settings (uplink->state);
  g_autoptr (GError) error = NULL;
  FalKeyOrigin origin;
  const gchar *api_key = get_api_key (uplink, settings, &origin);

  uplink->events.configured (uplink->user, settings);
  if (!fal_preflight_check_credentials (
          settings, uplink->base_uri, api_key, owner_has_provider (uplink), &error)) {
    fal_reporter_tell (uplink->reporter, FALSE, error, NULL);
    return;
  }
  for (guint i = 0; i < uplink->n_lanes; i++)
    fal_connection_configure (get_connection (&uplink->lanes[i]), settings, api_key, origin);
}

/* ---- orders ---- */

static gboolean
is_needed (gpointer user)
{
  const Lane *lane = user;

  return fal_shared_state_needs_connection (lane->uplink->state, lane->number);
}

static void
keep (gpointer user)
{
  const Lane *lane = user;

  fal_shared_state_keep_connection (lane->uplink->state, lane->number);
}

/* Others may still need the connection. A frame that came meanwhile waits for the next one. */
static void
release (Lane *lane)
{
  FalSharedConnection *shared = lane->uplink->connection;

  if (fal_shared_connection_any (shared, lane->number, is_needed))
    fal_shared_connection_foreach (shared, lane->number, keep);
  else
    fal_connection_close (get_connection (lane));
}

static void
send_message (Lane *lane, GBytes *message)
{
  FalUplink *uplink = lane->uplink;

  fal_shared_connection_send (uplink->connection, lane->number, lane, message);
  fal_shared_state_note_counts (uplink->state, lane->number, get_counts (lane));
}

/* Nothing of the uplink may be touched after closing, which runs the main context for a moment: it
 * may have left meanwhile. */
static void
carry_out (FalUplink *uplink, const FalOrder *order)
{
  Lane *lane = &uplink->lanes[order->lane];
  FalConnection *connection = get_connection (lane);

  switch (order->kind) {
  case FAL_ORDER_SEND:
    send_message (lane, order->message);
    break;
  case FAL_ORDER_CONNECT:
    fal_connection_want (connection);
    break;
  case FAL_ORDER_FAIL:
    fal_connection_fail (connection, order->fault, NULL);
    break;
  case FAL_ORDER_CONFIGURE:
    configure (uplink);
    break;
  case FAL_ORDER_CLOSE:
    fal_connection_close (connection);
    break;
  case FAL_ORDER_RECONNECT:
    fal_connection_close (connection);
    fal_connection_want (connection);
    break;
  case FAL_ORDER_RELEASE:
    release (lane);
    break;
  case FAL_ORDER_SHARE:
    fal_shared_connection_set_use (
        uplink->connection, order->lane, lane, fal_shared_state_uses_connection (uplink->state));
    break;
  }
}

/* One order each time: where there are more, the timer fires again. */
static void
on_order (gpointer data)
{
  FalUplink *uplink = data;
  FalOrder *order = fal_shared_state_take_order (uplink->state);

  if (uplink->patience == NULL)
    wait_anew (uplink, FAL_DIALER_IDLE);
  if (order == NULL)
    return;
  carry_out (uplink, order);
  fal_order_free (order);
}

/* ---- what the connection tells ---- */

/* What happened to a connection that is one of several. */
static GError *
name_lane (const Lane *lane, const GError *error, const gchar *more)
{
  return g_error_new (error->domain, error->code, "Connection %u of %u: %s%s", lane->number + 1,
      lane->uplink->n_lanes, error->message, more);
}

/* Those that were given up before any stood are told of now that one does. */
static void
tell_untold (FalUplink *uplink)
{
  for (guint i = 0; i < uplink->n_lanes; i++) {
    g_autoptr (GError) error = g_steal_pointer (&uplink->lanes[i].untold);

    if (error != NULL)
      fal_reporter_tell (uplink->reporter, FALSE, error, NULL);
  }
}

static void
on_opened (gpointer data)
{
  Lane *lane = data;
  FalUplink *uplink = lane->uplink;
  FalConnection *connection = get_connection (lane);

  fal_reporter_set_last_token (
      uplink->reporter, lane->number, fal_connection_get_token (connection));
  g_clear_pointer (&lane->fault, g_free);
  lane->stands = TRUE;
  lane->outage = FALSE;
  fal_shared_state_note_opened (uplink->state, lane->number, get_counts (lane),
      fal_connection_get_guard (connection),
      fal_shared_connection_is_ready (uplink->connection, lane->number));
  tell_untold (uplink);
}

static GstStructure *
describe_fault (const Lane *lane, const FalFault *fault, gboolean retryable)
{
  GstStructure *details = gst_structure_new ("details", "attempt", G_TYPE_UINT,
      fal_connection_get_attempt (get_connection (lane)), "retryable", G_TYPE_BOOLEAN, retryable,
      NULL);

  if (fault->kind == FAL_FAULT_HTTP || fault->kind == FAL_FAULT_TOKEN ||
      fault->kind == FAL_FAULT_PROXY)
    gst_structure_set (details, "http-status", G_TYPE_UINT, fault->code, NULL);
  if (fault->kind == FAL_FAULT_CLOSED)
    gst_structure_set (details, "close-code", G_TYPE_UINT, fault->code, NULL);
  if (fault->kind == FAL_FAULT_SERVER && fault->code != FAL_SERVER_FAULT_TOO_BIG && lane->fault)
    gst_structure_set (details, "error", G_TYPE_STRING, lane->fault, NULL);
  return details;
}

/* What is no outage, or goes on: a line of the story, and no message. */
static void
note_end (const FalUplink *uplink, FalVerdict verdict, const GError *error)
{
  g_autofree gchar *text = fal_reporter_redact (uplink->reporter, error->message);

  fal_reporter_note (uplink->reporter,
      verdict == FAL_VERDICT_QUIET ? "connection ended: %s" : "still no result: %s", text);
}

/* The connection ended by itself, and the peer gave no reason that lies elsewhere. */
static gboolean
is_death (const FalFault *fault)
{
  return fault->kind == FAL_FAULT_NETWORK || fault->kind == FAL_FAULT_DEAD ||
         (fault->kind == FAL_FAULT_CLOSED && fal_fault_get_class (fault) != FAL_FAULT_CLASS_QUIET);
}

static gboolean
any_other_stands (const Lane *lane)
{
  for (guint i = 0; i < lane->uplink->n_lanes; i++)
    if (i != lane->number && lane->uplink->lanes[i].stands)
      return TRUE;
  return FALSE;
}

/* In an outage, which was told of. */
static gboolean
any_other_is_out (const Lane *lane)
{
  for (guint i = 0; i < lane->uplink->n_lanes; i++)
    if (i != lane->number && lane->uplink->lanes[i].outage)
      return TRUE;
  return FALSE;
}

/* One of several is given up, and the others go on. Where none stands yet they may all be given up
 * for the same reason, which is then told once. */
static void
tell_loss (Lane *lane, const FalFault *fault, const GError *error)
{
  FalUplink *uplink = lane->uplink;
  g_autoptr (GError) named = name_lane (lane, error, " Going on with the other connections.");

  lane->outage = FALSE;
  if (any_other_stands (lane)) {
    fal_reporter_tell (uplink->reporter, FALSE, named, describe_fault (lane, fault, FALSE));
    return;
  }
  note_end (uplink, FAL_VERDICT_FAIL, error);
  g_clear_error (&lane->untold);
  lane->untold = g_steal_pointer (&named);
}

/* One of several ends, and is dialled again. Where others end meanwhile it is one outage. */
static void
tell_outage (Lane *lane, FalVerdict verdict, const FalFault *fault, const GError *error)
{
  FalUplink *uplink = lane->uplink;
  g_autoptr (GError) named = name_lane (lane, error, "");

  if (verdict == FAL_VERDICT_WARN && !any_other_is_out (lane))
    fal_reporter_tell (uplink->reporter, FALSE, named, describe_fault (lane, fault, TRUE));
  else
    note_end (uplink, verdict, named);
  lane->outage |= verdict == FAL_VERDICT_WARN;
}

static void
tell_end (Lane *lane, FalVerdict verdict, const FalFault *fault, const GError *error, gboolean last)
{
  FalUplink *uplink = lane->uplink;
  gboolean fatal = verdict == FAL_VERDICT_FAIL;

  if (fatal && !last)
    tell_loss (lane, fault, error);
  else if (uplink->n_lanes > 1 && !fatal)
    tell_outage (lane, verdict, fault, error);
  else if (fatal || verdict == FAL_VERDICT_WARN)
    fal_reporter_tell (uplink->reporter, fatal, error, describe_fault (lane, fault, !fatal));
  else
    note_end (uplink, verdict, error);
}

/* Upstream learns of the end after the application did: a source answers it with an error of its
 * own, which says less. */
static void
on_ended (gpointer data, FalVerdict verdict, const FalFault *fault, const GError *error)
{
  Lane *lane = data;
  FalUplink *uplink = lane->uplink;
  gboolean fatal = verdict == FAL_VERDICT_FAIL;
  gboolean stays = fal_shared_state_note_ended (
      uplink->state, lane->number, get_counts (lane), fatal, is_death (fault));
  gboolean last = fatal && fal_shared_state_get_state (uplink->state) == FAL_DIALER_FAILED;

  lane->stands = FALSE;
  fal_reporter_tell_drops (uplink->reporter, fal_shared_state_take_drops (uplink->state));
  if (stays)
    tell_end (lane, verdict, fault, error, last);
  if (last)
    fal_shared_state_fail_flow (uplink->state);
}

static void
on_state_changed (gpointer data, FalDialerState dialer)
{
  Lane *lane = data;
  FalUplink *uplink = lane->uplink;
  FalDialerState all = fal_shared_state_note_state (uplink->state, lane->number, dialer);

  if (all == uplink->shown)
    return;
  wait_anew (uplink, all);
  fal_reporter_tell_state (uplink->reporter, all);
}

static void
on_share_changed (gpointer data, const FalPaidTime *paid)
{
  const Lane *lane = data;

  fal_shared_state_note_paid_time (lane->uplink->state, lane->number, paid);
}

static void
on_message (gpointer data, GBytes *message, gboolean text)
{
  Lane *lane = data;
  FalUplink *uplink = lane->uplink;

  uplink->events.message (uplink->user, lane->number, message, text);
}

/* One that came while playing gives no token that would go over an open wire. */
static gboolean
has_provider (gpointer data)
{
  const Lane *lane = data;
  const FalUplink *uplink = lane->uplink;
  g_autoptr (FalSettings) settings = NULL;
  FalKeyOrigin origin;

  if (!owner_has_provider (uplink))
    return FALSE;
  settings = fal_shared_state_dup_settings (uplink->state);
  return fal_preflight_check_credentials (
      settings, uplink->base_uri, get_api_key (uplink, settings, &origin), TRUE, NULL);
}

static void
request_token (gpointer data, FalTokenPromise *promise)
{
  const Lane *lane = data;
  const FalUplink *uplink = lane->uplink;

  uplink->owner->events.request_token (uplink->owner->user, promise);
}

static gboolean
accept_certificate (
    gpointer data, GTlsConnection *tls, GTlsCertificate *certificate, GTlsCertificateFlags errors)
{
  const Lane *lane = data;
  const FalUplink *uplink = lane->uplink;

  return uplink->owner->events.accept_certificate (uplink->owner->user, tls, certificate, errors);
}

/* ---- connecting and disconnecting ---- */

static void
clear (FalUplink *uplink)
{
  uplink->connection = NULL;
  g_clear_pointer (&uplink->base_uri, g_free);
  g_clear_pointer (&uplink->file_key, g_free);
  for (guint i = 0; i < FAL_MAX_CONNECTIONS; i++) {
    Lane *lane = &uplink->lanes[i];

    g_clear_pointer (&lane->fault, g_free);
    g_clear_error (&lane->untold);
    lane->stands = lane->outage = FALSE;
  }
}

gboolean
fal_uplink_connect (FalUplink *uplink, FalSettings *settings, FalEndpoint *endpoint,
    const gchar *file_key, GError **error)
{
  const FalMemberEvents events = {
    .connection = {
      .opened = on_opened,
      .message = on_message,
      .ended = on_ended,
      .state_changed = on_state_changed,
      .has_provider = has_provider,
      .request_token = request_token,
      .accept_certificate = accept_certificate,
    },
    .share_changed = on_share_changed,
  };

  gpointer users[FAL_MAX_CONNECTIONS];

  for (guint i = 0; i < FAL_MAX_CONNECTIONS; i++)
    users[i] = &uplink->lanes[i];
  uplink->n_lanes = settings->connections;
  uplink->shown = FAL_DIALER_IDLE;
  uplink->base_uri = g_strdup (endpoint->base_uri);
  uplink->file_key = g_strdup (file_key);
  if (!fal_shared_connection_join (
          settings, endpoint, &events, users, &uplink->connection, &uplink->member, error)) {
    clear (uplink);
    return FALSE;
  }
  uplink->timer = fal_shared_connection_new_timer (uplink->connection, on_order, uplink);
  fal_shared_state_set_wakeup (uplink->state, fal_timer_get_source (uplink->timer));
  fal_timer_set (uplink->timer, 0); /* the wait for the first frame begins */
  return TRUE;
}

static void
on_left (gpointer data)
{
  const Lane *first = data;
  FalUplink *uplink = first->uplink;

  for (guint i = 0; i < uplink->n_lanes; i++)
    fal_shared_state_note_counts (uplink->state, i, get_counts (&uplink->lanes[i]));
  g_clear_pointer (&uplink->timer, fal_timer_free);
  g_clear_pointer (&uplink->patience, fal_timer_free);
  uplink->events.left (uplink->user);
}

void
fal_uplink_disconnect (FalUplink *uplink)
{
  fal_shared_connection_leave (uplink->connection, &uplink->lanes[0], on_left);
  clear (uplink);
}

gboolean
fal_uplink_is_connected (const FalUplink *uplink)
{
  return uplink->connection != NULL;
}

guint
fal_uplink_get_member (const FalUplink *uplink)
{
  return uplink->member;
}

/* ---- for whoever reads a message ---- */

static void
note_message (gpointer user)
{
  const Lane *lane = user;

  fal_shared_state_note_message (lane->uplink->state, lane->number, get_counts (lane));
}

void
fal_uplink_note_message (FalUplink *uplink, guint lane)
{
  fal_shared_connection_foreach (uplink->connection, lane, note_message);
}

static FalUplink *
uplink_of (const Lane *lane)
{
  return lane ? lane->uplink : NULL;
}

FalUplink *
fal_uplink_find_answered (FalUplink *uplink, guint lane, gint64 member)
{
  return uplink_of (fal_shared_connection_find_answered (uplink->connection, lane, member));
}

void
fal_uplink_note_answered (FalUplink *uplink, guint lane)
{
  fal_shared_connection_note_answered (uplink->connection, lane, &uplink->lanes[lane]);
}

FalTimer *
fal_uplink_new_timer (FalUplink *uplink, void (*fired) (gpointer user), gpointer user)
{
  return fal_shared_connection_new_timer (uplink->connection, fired, user);
}

FalUplink *
fal_uplink_get_last_answered (FalUplink *uplink, guint lane)
{
  return uplink_of (fal_shared_connection_get_last_answered (uplink->connection, lane));
}

void
fal_uplink_deliver (FalUplink *uplink, guint lane, FalReply *reply, const GError *error)
{
  uplink->events.reply (uplink->user, lane, reply, error);
}

void
fal_uplink_note_result (FalUplink *uplink, guint lane)
{
  fal_connection_note_result (get_connection (&uplink->lanes[lane]));
}

static void
close_answered (gpointer user)
{
  const Lane *lane = user;

  fal_shared_state_close_answered (lane->uplink->state);
}

void
fal_uplink_note_idle (FalUplink *uplink, guint lane)
{
  fal_connection_note_idle (get_connection (&uplink->lanes[lane]));
  fal_shared_connection_foreach (uplink->connection, lane, close_answered);
}

static void
note_ready (gpointer user)
{
  const Lane *lane = user;

  fal_shared_state_note_ready (lane->uplink->state, lane->number);
}

void
fal_uplink_note_ready (FalUplink *uplink, guint lane)
{
  fal_shared_connection_set_ready (uplink->connection, lane);
  fal_shared_connection_foreach (uplink->connection, lane, note_ready);
}

static void
note_greeting (gpointer user)
{
  const Lane *lane = user;

  fal_shared_state_note_greeting (lane->uplink->state, lane->number);
}

void
fal_uplink_note_greeting (FalUplink *uplink, guint lane)
{
  fal_connection_note_greeting (get_connection (&uplink->lanes[lane]));
  fal_shared_connection_foreach (uplink->connection, lane, note_greeting);
}

static void
set_fault (Lane *lane, const gchar *name)
{
  g_free (lane->fault);
  lane->fault = g_strdup (name);
}

void
fal_uplink_note_error (FalUplink *uplink, guint lane, const gchar *what, const gchar *name)
{
  set_fault (&uplink->lanes[lane], name);
  fal_connection_note_error_answer (get_connection (&uplink->lanes[lane]), what);
}

void
fal_uplink_fail (
    FalUplink *uplink, guint lane, FalFaultKind kind, const gchar *what, const gchar *name)
{
  set_fault (&uplink->lanes[lane], name);
  fal_connection_fail (get_connection (&uplink->lanes[lane]), kind, what);
}
