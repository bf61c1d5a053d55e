/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables say which message stands for which state or error. */
#include "gstfalmessages.h"

#define NO_MESSAGE (-1)

GType
gst_fal_connection_state_get_type (void)
{
  static const GEnumValue values[] = {
    { FAL_DIALER_IDLE, "No connection, nothing to send", "idle" },
    { FAL_DIALER_AUTHENTICATING, "Requesting a token", "authenticating" },
    { FAL_DIALER_CONNECTING, "Opening the WebSocket", "connecting" },
    { FAL_DIALER_WARMING_UP, "Connected, no result yet", "warming-up" },
    { FAL_DIALER_CONNECTED, "Connected, results come", "connected" },
    { FAL_DIALER_WAITING, "Waiting to try again", "waiting" },
    { FAL_DIALER_FAILED, "Given up", "failed" },
    { 0, NULL, NULL },
  };
  static gsize type;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstFalConnectionState", values));
  return type;
}

const gchar *
gst_fal_connection_state_get_nick (FalDialerState state)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (GST_TYPE_FAL_CONNECTION_STATE);

  return g_enum_get_value (klass, state)->value_nick;
}

void
gst_fal_post_connection (GstElement *element, FalDialerState state)
{
  GstStructure *structure =
      gst_structure_new ("fal-connection", "state", GST_TYPE_FAL_CONNECTION_STATE, state, NULL);

  gst_element_post_message (element, gst_message_new_element (GST_OBJECT (element), structure));
}

void
gst_fal_post_cost (GstElement *element, const FalCost *cost)
{
  GstStructure *structure = gst_structure_new ("fal-cost", "cost", G_TYPE_DOUBLE, cost->cost,
      "budget", G_TYPE_DOUBLE, cost->limit, "connected-time", G_TYPE_UINT64,
      (guint64) cost->time * GST_USECOND, "requests", G_TYPE_UINT64, cost->requests, NULL);

  gst_element_post_message (element, gst_message_new_element (GST_OBJECT (element), structure));
}

static void
get_bus_error (const GError *error, GQuark *domain, gint *code)
{
  static const struct {
    GIOErrorEnum error;
    gboolean stream; /* it becomes a GST_STREAM_ERROR, else a GST_RESOURCE_ERROR */
    gint code;
  } rows[] = {
    { G_IO_ERROR_INVALID_ARGUMENT, FALSE, GST_RESOURCE_ERROR_SETTINGS },
    { G_IO_ERROR_PERMISSION_DENIED, FALSE, GST_RESOURCE_ERROR_NOT_AUTHORIZED },
    { G_IO_ERROR_NOT_FOUND, FALSE, GST_RESOURCE_ERROR_NOT_FOUND },
    { G_IO_ERROR_HOST_NOT_FOUND, FALSE, GST_RESOURCE_ERROR_NOT_FOUND },
    { G_IO_ERROR_HOST_UNREACHABLE, FALSE, GST_RESOURCE_ERROR_OPEN_READ_WRITE },
    { G_IO_ERROR_TIMED_OUT, FALSE, GST_RESOURCE_ERROR_OPEN_READ_WRITE },
    { G_IO_ERROR_BUSY, FALSE, GST_RESOURCE_ERROR_BUSY },
    { G_IO_ERROR_BROKEN_PIPE, FALSE, GST_RESOURCE_ERROR_READ },
    { G_IO_ERROR_NO_SPACE, FALSE, GST_RESOURCE_ERROR_NO_SPACE_LEFT },
    { G_IO_ERROR_INVALID_DATA, TRUE, GST_STREAM_ERROR_DECODE },
    { G_IO_ERROR_NOT_SUPPORTED, TRUE, GST_STREAM_ERROR_WRONG_TYPE },
  };

  *domain = GST_RESOURCE_ERROR;
  *code = GST_RESOURCE_ERROR_FAILED;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    if (!g_error_matches (error, G_IO_ERROR, rows[i].error))
      continue;
    *domain = rows[i].stream ? GST_STREAM_ERROR : GST_RESOURCE_ERROR;
    *code = rows[i].code;
  }
}

void
gst_fal_post_trouble (
    GstElement *element, gboolean fatal, const GError *error, GstStructure *details)
{
  GQuark domain;
  gint code;

  get_bus_error (error, &domain, &code);
  gst_element_message_full_with_details (element, fatal ? GST_MESSAGE_ERROR : GST_MESSAGE_WARNING,
      domain, code, g_strdup (error->message), NULL, __FILE__, GST_FUNCTION, __LINE__, details);
}

/* gst-launch-1.0 prints only the debug text of an INFO. */
void
gst_fal_post_advice (GstElement *element, const GError *advice)
{
  GQuark domain;
  gint code;

  get_bus_error (advice, &domain, &code);
  gst_element_message_full (element, GST_MESSAGE_INFO, domain, code, g_strdup (advice->message),
      g_strdup (advice->message), __FILE__, GST_FUNCTION, __LINE__);
}

/* ---- progress ---- */

static void
post_progress (GstElement *element, GstProgressType type, const gchar *code, const gchar *text)
{
  gst_element_post_message (
      element, gst_message_new_progress (GST_OBJECT (element), type, code, text));
}

/* Whether something is under way after a message of this type. */
static gboolean
is_open (GstProgressType type)
{
  return type == GST_PROGRESS_TYPE_START || type == GST_PROGRESS_TYPE_CONTINUE;
}

static void
post_connecting (
    GstElement *element, GstFalProgress *progress, FalDialerState state, const gchar *address)
{
  static const struct {
    FalDialerState state;
    gint unless_open, if_open; /* GstProgressType, or NO_MESSAGE */
    const gchar *text;
    gboolean has_address; /* which follows the text */
  } rows[] = {
    { FAL_DIALER_AUTHENTICATING, GST_PROGRESS_TYPE_START, GST_PROGRESS_TYPE_CONTINUE,
        "Requesting a token for ", TRUE },
    { FAL_DIALER_CONNECTING, GST_PROGRESS_TYPE_START, GST_PROGRESS_TYPE_CONTINUE, "Connecting to ",
        TRUE },
    { FAL_DIALER_WARMING_UP, NO_MESSAGE, GST_PROGRESS_TYPE_COMPLETE,
        "Connected, waiting for the first result" },
    { FAL_DIALER_WAITING, NO_MESSAGE, GST_PROGRESS_TYPE_CANCELED, "Waiting to connect again" },
    { FAL_DIALER_IDLE, NO_MESSAGE, GST_PROGRESS_TYPE_CANCELED, "Not connecting any more" },
    { FAL_DIALER_FAILED, NO_MESSAGE, GST_PROGRESS_TYPE_ERROR, "Could not connect" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gint type = progress->connects ? rows[i].if_open : rows[i].unless_open;
    g_autofree gchar *text = NULL;

    if (rows[i].state != state || type == NO_MESSAGE)
      continue;
    text = g_strconcat (rows[i].text, rows[i].has_address ? address : NULL, NULL);
    post_progress (element, type, "fal-connect", text);
    progress->connects = is_open (type);
    return;
  }
}

void
gst_fal_post_progress (
    GstElement *element, GstFalProgress *progress, FalDialerState state, const gchar *address)
{
  if (progress->loads && state == FAL_DIALER_CONNECTED)
    post_progress (element, GST_PROGRESS_TYPE_COMPLETE, "fal-model", "The first result is here");
  else if (progress->loads)
    post_progress (element, GST_PROGRESS_TYPE_CANCELED, "fal-model",
        "The connection ended before a result came");
  progress->loads = FALSE;
  post_connecting (element, progress, state, address);
}

static void
post_no_frame (GstElement *element, guint seconds)
{
  g_autoptr (GError) advice = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
      "No frame came from upstream for %u s. The connection begins with the first one: check the "
      "elements before this one. A camera or other live source gives none before the pipeline is "
      "PLAYING.",
      seconds);

  gst_fal_post_advice (element, advice);
}

void
gst_fal_post_still (
    GstElement *element, GstFalProgress *progress, FalDialerState state, guint seconds)
{
  g_autofree gchar *text = NULL;

  if (state == FAL_DIALER_IDLE) {
    post_no_frame (element, seconds);
  } else if (state == FAL_DIALER_WARMING_UP) {
    text = g_strdup_printf ("No result after %u s: the model may still be loading", seconds);
    post_progress (element, progress->loads ? GST_PROGRESS_TYPE_CONTINUE : GST_PROGRESS_TYPE_START,
        "fal-model", text);
    progress->loads = TRUE;
  } else if (progress->connects) {
    text = g_strdup_printf (state == FAL_DIALER_AUTHENTICATING
                                ? "Still requesting a token after %u s"
                                : "Still connecting after %u s: the model may have to be started",
        seconds);
    post_progress (element, GST_PROGRESS_TYPE_CONTINUE, "fal-connect", text);
  }
}
