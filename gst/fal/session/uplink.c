/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The member of a connection. */
#include "uplink.h"
#include "fal/net/preflight.h"

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
  gchar *file_key; /* or NULL */
  FalTimer *timer; /* fires where there are orders */
  gchar *fault;    /* how the server called the error that the connection ends with; or NULL */
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
  return uplink;
}

void
fal_uplink_free (FalUplink *uplink)
{
  g_free (uplink);
}

static FalConnection *
get_connection (const FalUplink *uplink)
{
  return fal_shared_connection_get_connection (uplink->connection);
}

static const FalConnectionCounts *
get_counts (const FalUplink *uplink)
{
  return fal_connection_get_counts (get_connection (uplink));
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
  if (fal_preflight_check_credentials (
          settings, uplink->base_uri, api_key, owner_has_provider (uplink), &error))
    fal_connection_configure (get_connection (uplink), settings, api_key, origin);
  else
    fal_reporter_tell (uplink->reporter, FALSE, error, NULL);
}

/* ---- orders ---- */

static gboolean
is_needed (gpointer member)
{
  const FalUplink *uplink = member;

  return fal_shared_state_needs_connection (uplink->state);
}

static void
keep (gpointer member)
{
  const FalUplink *uplink = member;

  fal_shared_state_keep_connection (uplink->state);
}

/* Others may still need the connection. A frame that came meanwhile waits for the next one. */
static void
release (FalUplink *uplink)
{
  if (fal_shared_connection_any (uplink->connection, is_needed))
    fal_shared_connection_foreach (uplink->connection, keep);
  else
    fal_connection_close (get_connection (uplink));
}

/* Nothing of the uplink may be touched after closing, which runs the main context for a moment: it
 * may have left meanwhile. */
static void
carry_out (FalUplink *uplink, const FalOrder *order)
{
  FalConnection *connection = get_connection (uplink);

  switch (order->kind) {
  case FAL_ORDER_SEND:
    fal_shared_connection_send (uplink->connection, uplink, order->message);
    fal_shared_state_note_counts (uplink->state, get_counts (uplink));
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
    release (uplink);
    break;
  }
}

/* One order each time: where there are more, the timer fires again. */
static void
on_order (gpointer data)
{
  FalUplink *uplink = data;
  FalOrder *order = fal_shared_state_take_order (uplink->state);

  if (order == NULL)
    return;
  carry_out (uplink, order);
  fal_order_free (order);
}

/* ---- what the connection tells ---- */

static void
on_opened (gpointer data)
{
  FalUplink *uplink = data;
  FalConnection *connection = get_connection (uplink);

  fal_reporter_set_last_token (uplink->reporter, fal_connection_get_token (connection));
  g_clear_pointer (&uplink->fault, g_free);
  fal_shared_state_note_opened (uplink->state, get_counts (uplink),
      fal_connection_get_guard (connection), fal_shared_connection_is_ready (uplink->connection));
}

static GstStructure *
describe_fault (const FalUplink *uplink, const FalFault *fault, gboolean retryable)
{
  GstStructure *details = gst_structure_new ("details", "attempt", G_TYPE_UINT,
      fal_connection_get_attempt (get_connection (uplink)), "retryable", G_TYPE_BOOLEAN, retryable,
      NULL);

  if (fault->kind == FAL_FAULT_HTTP || fault->kind == FAL_FAULT_TOKEN ||
      fault->kind == FAL_FAULT_PROXY)
    gst_structure_set (details, "http-status", G_TYPE_UINT, fault->code, NULL);
  if (fault->kind == FAL_FAULT_CLOSED)
    gst_structure_set (details, "close-code", G_TYPE_UINT, fault->code, NULL);
  if (fault->kind == FAL_FAULT_SERVER && uplink->fault)
    gst_structure_set (details, "error", G_TYPE_STRING, uplink->fault, NULL);
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

static void
on_ended (gpointer data, FalVerdict verdict, const FalFault *fault, const GError *error)
{
  FalUplink *uplink = data;
  gboolean fatal = verdict == FAL_VERDICT_FAIL, stays;

  stays = fal_shared_state_note_ended (uplink->state, get_counts (uplink), fatal);
  fal_reporter_tell_drops (uplink->reporter, fal_shared_state_take_drops (uplink->state));
  if (!stays)
    return;
  if (fatal || verdict == FAL_VERDICT_WARN)
    fal_reporter_tell (uplink->reporter, fatal, error, describe_fault (uplink, fault, !fatal));
  else
    note_end (uplink, verdict, error);
}

static void
on_state_changed (gpointer data, FalDialerState dialer)
{
  FalUplink *uplink = data;

  fal_shared_state_note_state (uplink->state, dialer);
  fal_reporter_tell_state (uplink->reporter, dialer);
}

static void
on_message (gpointer data, GBytes *message, gboolean text)
{
  FalUplink *uplink = data;

  uplink->events.message (uplink->user, message, text);
}

/* One that came while playing gives no token that would go over an open wire. */
static gboolean
has_provider (gpointer data)
{
  FalUplink *uplink = data;
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
  FalUplink *uplink = data;

  uplink->owner->events.request_token (uplink->owner->user, promise);
}

static gboolean
accept_certificate (
    gpointer data, GTlsConnection *tls, GTlsCertificate *certificate, GTlsCertificateFlags errors)
{
  FalUplink *uplink = data;

  return uplink->owner->events.accept_certificate (uplink->owner->user, tls, certificate, errors);
}

/* ---- connecting and disconnecting ---- */

static void
clear (FalUplink *uplink)
{
  uplink->connection = NULL;
  g_clear_pointer (&uplink->base_uri, g_free);
  g_clear_pointer (&uplink->file_key, g_free);
  g_clear_pointer (&uplink->fault, g_free);
}

gboolean
fal_uplink_connect (FalUplink *uplink, FalSettings *settings, FalEndpoint *endpoint,
    const gchar *file_key, GError **error)
{
  const FalConnectionEvents events = {
    .opened = on_opened,
    .message = on_message,
    .ended = on_ended,
    .state_changed = on_state_changed,
    .has_provider = has_provider,
    .request_token = request_token,
    .accept_certificate = accept_certificate,
  };

  uplink->base_uri = g_strdup (endpoint->base_uri);
  uplink->file_key = g_strdup (file_key);
  if (!fal_shared_connection_join (
          settings, endpoint, &events, uplink, &uplink->connection, &uplink->member, error)) {
    clear (uplink);
    return FALSE;
  }
  uplink->timer = fal_shared_connection_new_timer (uplink->connection, on_order, uplink);
  fal_shared_state_set_wakeup (uplink->state, fal_timer_get_source (uplink->timer));
  return TRUE;
}

static void
on_left (gpointer data)
{
  FalUplink *uplink = data;

  fal_shared_state_note_counts (uplink->state, get_counts (uplink));
  g_clear_pointer (&uplink->timer, fal_timer_free);
  uplink->events.left (uplink->user);
}

void
fal_uplink_disconnect (FalUplink *uplink)
{
  fal_shared_connection_leave (uplink->connection, uplink, on_left);
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
note_message (gpointer member)
{
  const FalUplink *uplink = member;

  fal_shared_state_note_message (uplink->state, get_counts (uplink));
}

void
fal_uplink_note_message (FalUplink *uplink)
{
  fal_shared_connection_foreach (uplink->connection, note_message);
}

FalUplink *
fal_uplink_take_answered (FalUplink *uplink, gint64 member)
{
  return fal_shared_connection_take_answered (uplink->connection, member);
}

FalUplink *
fal_uplink_get_last_answered (FalUplink *uplink)
{
  return fal_shared_connection_get_last_answered (uplink->connection);
}

void
fal_uplink_deliver (FalUplink *uplink, FalReply *reply, const GError *error)
{
  uplink->events.reply (uplink->user, reply, error);
}

void
fal_uplink_note_result (FalUplink *uplink)
{
  fal_connection_note_result (get_connection (uplink));
}

static void
close_answered (gpointer member)
{
  const FalUplink *uplink = member;

  fal_shared_state_close_answered (uplink->state);
}

void
fal_uplink_note_idle (FalUplink *uplink)
{
  fal_connection_note_idle (get_connection (uplink));
  fal_shared_connection_foreach (uplink->connection, close_answered);
}

static void
note_ready (gpointer member)
{
  const FalUplink *uplink = member;

  fal_shared_state_note_ready (uplink->state);
}

void
fal_uplink_note_ready (FalUplink *uplink)
{
  fal_shared_connection_set_ready (uplink->connection);
  fal_shared_connection_foreach (uplink->connection, note_ready);
}

void
fal_uplink_fail (FalUplink *uplink, FalFaultKind kind, const gchar *what, const gchar *name)
{
  g_free (uplink->fault);
  uplink->fault = g_strdup (name);
  fal_connection_fail (get_connection (uplink), kind, what);
}
