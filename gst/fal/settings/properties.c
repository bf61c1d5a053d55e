/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of properties: a row says which field of the settings a property is, whom it concerns
 * and how it is presented to a user. It is filled while the element's class is made and then only
 * read, on any thread. */
#include "properties.h"

#include <string.h>

/* Indexed by id. */
static struct {
  GParamSpec *spec;
  GType type;   /* the fundamental one of its values */
  gsize offset; /* of its field in FalSettings */
  FalConcerns concerns;
  gboolean set_counts; /* a value that was set says something else than an equal default */
  gboolean is_input;   /* of the model: it is sent where it was set */
} rows[FAL_SETTINGS_MAX_PROPERTIES];
static guint n_rows = 1;                 /* ids begin at 1 */
static guint8 ids[sizeof (FalSettings)]; /* of the field at each offset; 0: no property's */
G_STATIC_ASSERT (FAL_SETTINGS_MAX_PROPERTIES <= G_MAXUINT8 + 1);
static guint n_shared; /* elements on one connection must agree about the rows before this one */

/* Its type is of a kind of its own, which is known only when the program runs. */
static gboolean
is_fraction (guint id)
{
  return rows[id].type == GST_TYPE_FRACTION;
}

static void
set_fraction (FalFraction *field, const GValue *value)
{
  field->n = gst_value_get_fraction_numerator (value);
  field->d = gst_value_get_fraction_denominator (value);
}

static void
set_field (FalSettings *settings, guint id, const GValue *value)
{
  gpointer field = G_STRUCT_MEMBER_P (settings, rows[id].offset);

  if (is_fraction (id)) {
    set_fraction (field, value);
    return;
  }
  switch (rows[id].type) {
  case G_TYPE_STRING:
    g_free (*(gchar **) field);
    *(gchar **) field = g_value_dup_string (value);
    break;
  case G_TYPE_BOXED:
    g_clear_pointer ((GstStructure **) field, gst_structure_free);
    *(GstStructure **) field = g_value_dup_boxed (value);
    break;
  case G_TYPE_OBJECT:
    g_clear_object ((GObject **) field);
    *(GObject **) field = g_value_dup_object (value);
    break;
  case G_TYPE_FLAGS:
    *(guint *) field = g_value_get_flags (value);
    break;
  case G_TYPE_BOOLEAN:
    *(gboolean *) field = g_value_get_boolean (value);
    break;
  case G_TYPE_ENUM:
    *(gint *) field = g_value_get_enum (value);
    break;
  case G_TYPE_INT:
    *(gint *) field = g_value_get_int (value);
    break;
  case G_TYPE_UINT:
    *(guint *) field = g_value_get_uint (value);
    break;
  case G_TYPE_INT64:
    *(gint64 *) field = g_value_get_int64 (value);
    break;
  case G_TYPE_UINT64:
    *(guint64 *) field = g_value_get_uint64 (value);
    break;
  case G_TYPE_DOUBLE:
    *(gdouble *) field = g_value_get_double (value);
    break;
  default:
    g_assert_not_reached ();
  }
}

void
fal_properties_get (const FalSettings *settings, guint id, GValue *value)
{
  gconstpointer field = G_STRUCT_MEMBER_P (settings, rows[id].offset);

  if (is_fraction (id)) {
    gst_value_set_fraction (
        value, ((const FalFraction *) field)->n, ((const FalFraction *) field)->d);
    return;
  }
  switch (rows[id].type) {
  case G_TYPE_STRING:
    g_value_set_string (value, *(gchar *const *) field);
    break;
  case G_TYPE_BOXED:
    g_value_set_boxed (value, *(GstStructure *const *) field);
    break;
  case G_TYPE_OBJECT:
    g_value_set_object (value, *(GObject *const *) field);
    break;
  case G_TYPE_FLAGS:
    g_value_set_flags (value, *(const guint *) field);
    break;
  case G_TYPE_BOOLEAN:
    g_value_set_boolean (value, *(const gboolean *) field);
    break;
  case G_TYPE_ENUM:
    g_value_set_enum (value, *(const gint *) field);
    break;
  case G_TYPE_INT:
    g_value_set_int (value, *(const gint *) field);
    break;
  case G_TYPE_UINT:
    g_value_set_uint (value, *(const guint *) field);
    break;
  case G_TYPE_INT64:
    g_value_set_int64 (value, *(const gint64 *) field);
    break;
  case G_TYPE_UINT64:
    g_value_set_uint64 (value, *(const guint64 *) field);
    break;
  case G_TYPE_DOUBLE:
    g_value_set_double (value, *(const gdouble *) field);
    break;
  default:
    g_assert_not_reached ();
  }
}

void
fal_properties_set (FalSettings *settings, guint id, const GValue *value)
{
  set_field (settings, id, value);
  settings->set[id / 64] |= G_GUINT64_CONSTANT (1) << id % 64;
}

void
fal_properties_unset (FalSettings *settings, guint id)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_PARAM_SPEC_VALUE_TYPE (rows[id].spec));
  g_param_value_set_default (rows[id].spec, &value);
  set_field (settings, id, &value);
  settings->set[id / 64] &= ~(G_GUINT64_CONSTANT (1) << id % 64);
}

void
fal_properties_set_defaults (FalSettings *settings)
{
  for (guint id = 1; id < n_rows; id++)
    fal_properties_unset (settings, id);
}

/* Gives @settings its own copy of what the field of row @id points to. Called for every row when a
 * controller sets a property at each frame: so no GValue, and no copy of a number. */
static void
dup_field (FalSettings *settings, guint id)
{
  gpointer field = G_STRUCT_MEMBER_P (settings, rows[id].offset);

  if (rows[id].type == G_TYPE_STRING)
    *(gchar **) field = g_strdup (*(gchar **) field);
  else if (rows[id].type == G_TYPE_BOXED && *(GstStructure **) field)
    *(GstStructure **) field = gst_structure_copy (*(GstStructure **) field);
  else if (rows[id].type == G_TYPE_OBJECT && *(GObject **) field)
    g_object_ref (*(GObject **) field);
}

void
fal_properties_copy (const FalSettings *from, FalSettings *to)
{
  *to = *from;
  for (guint id = 1; id < n_rows; id++)
    dup_field (to, id);
}

static void
clear_field (FalSettings *settings, guint id)
{
  gpointer field = G_STRUCT_MEMBER_P (settings, rows[id].offset);

  if (rows[id].type == G_TYPE_STRING)
    g_clear_pointer ((gchar **) field, g_free);
  else if (rows[id].type == G_TYPE_BOXED)
    g_clear_pointer ((GstStructure **) field, gst_structure_free);
  else if (rows[id].type == G_TYPE_OBJECT)
    g_clear_object ((GObject **) field);
}

void
fal_properties_clear (FalSettings *settings)
{
  for (guint id = 1; id < n_rows; id++)
    clear_field (settings, id);
}

static gboolean
are_structures_equal (const GstStructure *a, const GstStructure *b)
{
  return a == b || (a && b && gst_structure_is_equal (a, b));
}

static gboolean
is_equal (const FalSettings *a, const FalSettings *b, guint id)
{
  gconstpointer left = G_STRUCT_MEMBER_P (a, rows[id].offset);
  gconstpointer right = G_STRUCT_MEMBER_P (b, rows[id].offset);

  if (is_fraction (id))
    return memcmp (left, right, sizeof (FalFraction)) == 0;
  switch (rows[id].type) {
  case G_TYPE_STRING:
    return g_strcmp0 (*(gchar *const *) left, *(gchar *const *) right) == 0;
  case G_TYPE_BOXED:
    return are_structures_equal (*(GstStructure *const *) left, *(GstStructure *const *) right);
  case G_TYPE_OBJECT:
    return *(GObject *const *) left == *(GObject *const *) right;
  case G_TYPE_INT64:
  case G_TYPE_UINT64:
    return *(const gint64 *) left == *(const gint64 *) right;
  case G_TYPE_DOUBLE:
    return *(const gdouble *) left == *(const gdouble *) right;
  default: /* enumerations, flags, booleans and integers: all of the size of an int */
    return *(const gint *) left == *(const gint *) right;
  }
}

const gchar *
fal_properties_find_difference (const FalSettings *a, const FalSettings *b)
{
  for (guint id = 1; id < n_shared; id++)
    if (!is_equal (a, b, id))
      return rows[id].spec->name;
  return NULL;
}

static gboolean
is_set (const FalSettings *settings, guint id)
{
  return (settings->set[id / 64] >> id % 64) & 1;
}

FalConcerns
fal_properties_compare (const FalSettings *a, const FalSettings *b)
{
  FalConcerns concerns = 0;

  for (guint id = 1; id < n_rows; id++) {
    gboolean set_differs = rows[id].set_counts && is_set (a, id) != is_set (b, id);

    if (set_differs || !is_equal (a, b, id))
      concerns |= rows[id].concerns;
  }
  return concerns;
}

FalConcerns
fal_properties_get_concerns (guint id)
{
  return rows[id].concerns;
}

gboolean
fal_properties_is_input (guint id)
{
  return id < n_rows && rows[id].is_input;
}

gboolean
fal_properties_is_set (const FalSettings *settings, gsize offset)
{
  guint id = ids[offset];

  g_return_val_if_fail (rows[id].set_counts, FALSE);
  return is_set (settings, id);
}

/* In the row of a property: that it was set counts, even if only to its default. Such a property
 * has one more meaning while it is not set: it is absent, or as the app's profile says. */
#define IF_SET (1 << 30)
/* The property is an input of the model, which is not sent while it is not set. */
#define INPUT (1 << 29)

static void
install (GObjectClass *klass, guint concerns, gsize offset, GParamSpec *spec)
{
  if (n_rows == FAL_SETTINGS_MAX_PROPERTIES)
    g_error ("No room for the property %s: raise FAL_SETTINGS_MAX_PROPERTIES", spec->name);
  if (G_IS_PARAM_SPEC_ENUM (spec))
    gst_type_mark_as_plugin_api (G_PARAM_SPEC_VALUE_TYPE (spec), 0);
  rows[n_rows].spec = spec;
  rows[n_rows].type = G_TYPE_FUNDAMENTAL (G_PARAM_SPEC_VALUE_TYPE (spec));
  rows[n_rows].offset = offset;
  rows[n_rows].concerns = concerns & ~(IF_SET | INPUT);
  rows[n_rows].set_counts = (concerns & IF_SET) != 0;
  rows[n_rows].is_input = (concerns & INPUT) != 0;
  ids[offset] = n_rows;
  g_object_class_install_property (klass, n_rows++, spec);
}

#define ENUM_TYPE(function, name, ...)                                                             \
  static GType function (void)                                                                     \
  {                                                                                                \
    static const GEnumValue values[] = { __VA_ARGS__, { 0, NULL, NULL } };                         \
    static gsize type;                                                                             \
    if (g_once_init_enter (&type))                                                                 \
      g_once_init_leave (&type, g_enum_register_static (name, values));                            \
    return type;                                                                                   \
  }

ENUM_TYPE (auth_type, "GstFalAuth",
    { FAL_AUTH_AUTO,
        "The token; else one from request-token; else one requested with the API key; else nothing",
        "auto" },
    { FAL_AUTH_TOKEN, "A token, in the address", "token" },
    { FAL_AUTH_KEY_HEADER, "The API key, in the Authorization header", "key-header" },
    { FAL_AUTH_KEY_QUERY, "The API key, in the address, for older apps", "key-query" },
    { FAL_AUTH_NONE, "Nothing, for a public app or a server of your own", "none" })
ENUM_TYPE (token_request_type, "GstFalTokenRequest",
    { FAL_TOKEN_REQUEST_ALIAS, "allowed_apps with the alias of the app", "alias" },
    { FAL_TOKEN_REQUEST_PATH, "allowed_apps with owner/alias/realtime", "path" },
    { FAL_TOKEN_REQUEST_APP, "app with the id of the app", "app" })
ENUM_TYPE (leaky_type, "GstFalLeaky",
    { FAL_LEAKY_AUTO, "downstream in a live pipeline, else no", "auto" },
    { FAL_LEAKY_NO, "No: upstream waits, and no frame is lost", "no" },
    { FAL_LEAKY_DOWNSTREAM, "Yes: the newest frame is sent", "downstream" })
ENUM_TYPE (image_encoding_type, "GstFalImageEncoding",
    { FAL_IMAGE_ENCODING_AUTO, "As the app wants it; unknown apps: a data URI", "auto" },
    { FAL_IMAGE_ENCODING_BYTES, "Bytes", "bytes" },
    { FAL_IMAGE_ENCODING_DATA_URI, "A data URI", "data-uri" },
    { FAL_IMAGE_ENCODING_BASE64, "Base64 text", "base64" })
ENUM_TYPE (encoding_type, "GstFalEncoding",
    { FAL_MESSAGE_ENCODING_MSGPACK, "MessagePack", "msgpack" },
    { FAL_MESSAGE_ENCODING_JSON, "JSON in a binary frame", "json" })
ENUM_TYPE (request_id_type, "GstFalRequestId",
    { FAL_REQUEST_ID_AUTO, "Yes, unless the app is known not to send it back", "auto" },
    { FAL_REQUEST_ID_ALWAYS, "Yes", "always" },
    { FAL_REQUEST_ID_NEVER, "No: results are matched to frames by their order", "never" })
ENUM_TYPE (fit_type, "GstFalFit",
    { FAL_FIT_CROP, "Fill the size and cut off what is over", "crop" },
    { FAL_FIT_LETTERBOX, "Show the whole frame between black bars", "letterbox" },
    { FAL_FIT_STRETCH, "Stretch the frame to the size", "stretch" })
ENUM_TYPE (region_absent_type, "GstFalRegionAbsent",
    { FAL_REGION_ABSENT_PASS, "The frame passes as it is, in its place among the results", "pass" },
    { FAL_REGION_ABSENT_HOLD, "Nothing is sent, and the last result stands", "hold" },
    { FAL_REGION_ABSENT_WHOLE, "The whole frame is sent", "whole" })
ENUM_TYPE (timestamp_mode_type, "GstFalTimestampMode",
    { FAL_TIMESTAMP_MODE_AUTO, "arrival in a live pipeline without latency, else input", "auto" },
    { FAL_TIMESTAMP_MODE_INPUT, "The time of the frame that the result answers", "input" },
    { FAL_TIMESTAMP_MODE_ARRIVAL, "The time at which the result arrives", "arrival" })

ENUM_TYPE (latency_mode_type, "GstFalLatencyMode",
    { FAL_LATENCY_MODE_FIXED, "As latency says", "fixed" },
    { FAL_LATENCY_MODE_AUTO, "As short as results allow, in a live pipeline", "auto" })
ENUM_TYPE (fallback_type, "GstFalFallback",
    { FAL_FALLBACK_NONE, "Nothing; downstream gets GAP events", "none" },
    { FAL_FALLBACK_LAST, "The last result, and black before the first", "last" },
    { FAL_FALLBACK_PASSTHROUGH, "The frames, in the size of the results", "passthrough" },
    { FAL_FALLBACK_BLACK, "Black", "black" })
ENUM_TYPE (transition_type, "GstFalTransition",
    { FAL_TRANSITION_CUT, "The newer one takes the place of the older", "cut" },
    { FAL_TRANSITION_FADE, "The newer one fades in", "fade" })

ENUM_TYPE (composite_type, "GstFalComposite",
    { FAL_COMPOSITE_NONE, "Results go out as they are", "none" },
    { FAL_COMPOSITE_OVER, "Each result is laid on the part of its frame that was sent", "over" },
    { FAL_COMPOSITE_MATTE, "Each frame, as opaque as its result says", "matte" },
    { FAL_COMPOSITE_MATTE_OVER, "The same, laid on background", "matte-over" })
ENUM_TYPE (composite_frames_type, "GstFalCompositeFrames",
    { FAL_COMPOSITE_FRAMES_RESULTS, "Those that have a result", "results" },
    { FAL_COMPOSITE_FRAMES_ALL, "Every frame, also with the results beside it", "all" })

#define READY (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define PLAYING (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)
#define CONTROL (PLAYING | GST_PARAM_CONTROLLABLE)
#define SECRET (G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS)

#define REQUEST FAL_CONCERN_REQUEST
#define PACING FAL_CONCERN_PACING
#define OUTPUT FAL_CONCERN_OUTPUT
#define CONNECTION FAL_CONCERN_CONNECTION
#define WATCHDOG FAL_CONCERN_WATCHDOG
#define ENABLED FAL_CONCERN_ENABLED
#define BUDGET FAL_CONCERN_BUDGET
#define REGION FAL_CONCERN_REGION

#define STRING(concerns, field, name, nick, blurb, value, flags)                                   \
  install (klass, concerns, G_STRUCT_OFFSET (FalSettings, field),                                  \
      g_param_spec_string (name, nick, blurb, value, flags))
#define NUMBER(kind, concerns, field, name, nick, blurb, least, most, value, flags)                \
  install (klass, concerns, G_STRUCT_OFFSET (FalSettings, field),                                  \
      g_param_spec_##kind (name, nick, blurb, least, most, value, flags))
#define ENUM(concerns, field, name, nick, blurb, type, value, flags)                               \
  install (klass, concerns, G_STRUCT_OFFSET (FalSettings, field),                                  \
      g_param_spec_enum (name, nick, blurb, type, value, flags))
#define BOOLEAN(concerns, field, name, nick, blurb, value, flags)                                  \
  install (klass, concerns, G_STRUCT_OFFSET (FalSettings, field),                                  \
      g_param_spec_boolean (name, nick, blurb, value, flags))
#define STRUCTURE(concerns, field, name, nick, blurb, flags)                                       \
  install (klass, concerns, G_STRUCT_OFFSET (FalSettings, field),                                  \
      g_param_spec_boxed (name, nick, blurb, GST_TYPE_STRUCTURE, flags))
#define TIMEOUT(concerns, field, name, nick, blurb, value)                                         \
  NUMBER (uint, concerns, field, name, nick, blurb, 0, G_MAXINT, value, PLAYING)

/**
 * GstFalRealtimeFilter:app:
 *
 * The model to connect to: `owner/alias`, or a part of it such as
 * `fal-ai/fast-lcm-diffusion/image-to-image`. The old form `123-my-app` is understood, too. For
 * the apps that the element knows, #GstFalRealtimeFilter:app-defaults sets what they want; for
 * others say it by #GstFalRealtimeFilter:image-field and its neighbours.
 */
/**
 * GstFalRealtimeFilter:path:
 *
 * The path of the endpoint below the app. It is added to #GstFalRealtimeFilter:app, unless that
 * ends with `/realtime` already and no path was set.
 */
/**
 * GstFalRealtimeFilter:base-uri:
 *
 * The address of the server, `wss://` or, for one on this machine, `ws://`. The environment's
 * `FAL_RUN_HOST` changes the host of the default.
 */
/**
 * GstFalRealtimeFilter:token:
 *
 * A token (JWT) that a server of yours made for this app, and for a limited time. One that was
 * refused, or has expired, is not sent again: set another one while playing, or connect to
 * #GstFalRealtimeFilter::request-token. It cannot be read, and stands in no log.
 */
/**
 * GstFalRealtimeFilter:api-key:
 *
 * The key of your account at fal, which a token is requested with. In a pipeline description
 * others may read it, so that the environment (`FAL_KEY`) or #GstFalRealtimeFilter:api-key-file is
 * the better place. It cannot be read, and stands in no log.
 */
/**
 * GstFalRealtimeFilter:api-key-file:
 *
 * The path of a file with the key in its first line. It is read when the element goes to PAUSED,
 * and has precedence over the environment.
 */
/**
 * GstFalRealtimeFilter:auth:
 *
 * What is shown to the server. With `auto` that is the first of these that there is:
 * #GstFalRealtimeFilter:token, the answer to #GstFalRealtimeFilter::request-token, a token
 * requested from #GstFalRealtimeFilter:token-proxy-uri, a token requested with the API key; else
 * nothing, which a public app accepts.
 */
/**
 * GstFalRealtimeFilter:token-uri:
 *
 * The address that answers a request with the API key with a token.
 */
/**
 * GstFalRealtimeFilter:token-proxy-uri:
 *
 * The address of a server of yours that adds the key to the request for a token and sends it on,
 * so that the key need not be on this machine. The WebSocket does not pass there.
 */
/**
 * GstFalRealtimeFilter:token-request:
 *
 * Which body the request for a token has. It is only to be changed where a server other than fal's
 * makes tokens.
 */
/**
 * GstFalRealtimeFilter:token-expiration:
 *
 * For how long a token that is requested is to be valid. It only has to last until the connection
 * stands.
 */
/**
 * GstFalRealtimeFilter:allow-insecure:
 *
 * Without this no credential goes over a connection that is not encrypted, unless it ends on this
 * machine.
 */
/**
 * GstFalRealtimeFilter:connection-key:
 *
 * Elements with the same key use one connection, each with its own requests and results. They must
 * be alike in all that concerns the connection. Two kinds of results of one app then cost one
 * runner.
 */
/**
 * GstFalRealtimeFilter:connections:
 *
 * Each connection has a runner of the app to itself, so that so many frames are worked on at once:
 * a stream gets so many times the results of one runner, and each second of each connection is
 * paid for. Results go out in the order of their frames. An app that keeps something from one frame
 * to the next can have one connection only. Elements that share theirs by
 * #GstFalRealtimeFilter:connection-key share all of them.
 */
/**
 * GstFalRealtimeFilter:connect-timeout:
 *
 * How long an attempt to connect may take. A model that was not used for a while is started first,
 * which can take a minute.
 */
/**
 * GstFalRealtimeFilter:retries:
 *
 * How often in a row the element tries to connect again. With -1 it goes on for ever, but a first
 * connection that never stood is given up after a few seconds, since its address is probably
 * wrong.
 */
/**
 * GstFalRealtimeFilter:retry-delay:
 *
 * How long to wait before the first attempt to connect again. The wait grows by a quarter each
 * time, up to #GstFalRealtimeFilter:max-retry-delay.
 */
/**
 * GstFalRealtimeFilter:max-retry-delay:
 *
 * How long to wait at the most before another attempt to connect.
 */
/**
 * GstFalRealtimeFilter:max-message-size:
 *
 * A server that sends a larger message is disconnected, so that it cannot fill the memory.
 */
static void
install_connection (GObjectClass *klass)
{
  STRING (REQUEST | PACING | OUTPUT | CONNECTION, app, "app", "App",
      "Model to connect to, as owner/alias[/sub], such as fal-ai/fast-lcm-diffusion", NULL, READY);
  STRING (CONNECTION | IF_SET, path, "path", "Path",
      "Path of the realtime endpoint below the app; some older apps use /ws", "/realtime", READY);
  STRING (CONNECTION, base_uri, "base-uri", "Base URI",
      "Server of the app; ws://127.0.0.1:PORT for a local one (FAL_RUN_HOST sets the host)",
      "wss://fal.run", READY);
  STRING (CONNECTION, token, "token", "Token",
      "Token (JWT) for the app, if you have one already; shown at the next connection", NULL,
      SECRET | GST_PARAM_MUTABLE_PLAYING);
  STRING (CONNECTION, api_key, "api-key", "API key",
      "API key, id:secret; better set in the environment as FAL_KEY, or as FAL_KEY_ID and "
      "FAL_KEY_SECRET",
      NULL, SECRET | GST_PARAM_MUTABLE_READY);
  STRING (CONNECTION, api_key_file, "api-key-file", "API key file",
      "File whose first line is the API key, id:secret; read at the start", NULL, READY);
  ENUM (CONNECTION, auth, "auth", "Authentication",
      "What the element shows to the server to be let in", auth_type (), FAL_AUTH_AUTO, READY);
  STRING (CONNECTION, token_uri, "token-uri", "Token URI",
      "Address where a token is requested with the API key", "https://rest.fal.ai/tokens/", READY);
  STRING (CONNECTION, token_proxy_uri, "token-proxy-uri", "Token proxy URI",
      "Address of a server of yours that holds the API key and requests the token "
      "(x-fal-target-url), so that no key is needed here",
      NULL, READY);
  ENUM (CONNECTION, token_request, "token-request", "Token request",
      "Form of the request for a token", token_request_type (), FAL_TOKEN_REQUEST_ALIAS, READY);
  NUMBER (uint, CONNECTION, token_expiration, "token-expiration", "Token expiration",
      "Time for which a requested token is valid, in seconds", 1, 86400, 120, READY);
  BOOLEAN (CONNECTION, allow_insecure, "allow-insecure", "Allow insecure",
      "Send credentials over a connection to another machine that is not encrypted", FALSE, READY);
  STRING (CONNECTION, connection_key, "connection-key", "Connection key",
      "Name of a connection: all elements of a process with the same one share it (unset: a "
      "connection of its own)",
      NULL, READY);
  NUMBER (uint, CONNECTION, connections, "connections", "Connections",
      "Connections that the frames are spread over; each has a runner of the app to itself, and is "
      "paid for",
      1, FAL_MAX_CONNECTIONS, 1, READY);
  TIMEOUT (CONNECTION, connect_timeout, "connect-timeout", "Connect timeout",
      "Longest wait for token and handshake together, in ms (0 = no limit)", 30000);
  NUMBER (int, CONNECTION, retries, "retries", "Retries",
      "Attempts in a row to connect again before the element gives up (-1 = no limit, once a first "
      "connection stood)",
      -1, G_MAXINT, -1, PLAYING);
  TIMEOUT (CONNECTION, retry_delay, "retry-delay", "Retry delay",
      "Delay before the first attempt to connect again, in ms; it grows with each attempt", 250);
  TIMEOUT (CONNECTION, max_retry_delay, "max-retry-delay", "Maximum retry delay",
      "Longest delay between two attempts to connect, in ms", 8000);
  NUMBER (uint64, CONNECTION, max_message_size, "max-message-size", "Maximum message size",
      "Largest message accepted from the server, in bytes", 1024, G_GUINT64_CONSTANT (1) << 30,
      16 * 1024 * 1024, READY);
}

/**
 * GstFalRealtimeFilter:tls-validation-flags:
 *
 * Which errors in the certificate of the server end the connection. To accept one certificate,
 * connect to #GstFalRealtimeFilter::accept-certificate instead.
 */
/**
 * GstFalRealtimeFilter:tls-database:
 *
 * The authorities that are trusted, for a server with a certificate of your own authority.
 */
/**
 * GstFalRealtimeFilter:proxy:
 *
 * The HTTP proxy that all connections pass through. It cannot be read, since it may hold a
 * password.
 */
/**
 * GstFalRealtimeFilter:user-agent:
 *
 * The User-Agent of all requests.
 */
/**
 * GstFalRealtimeFilter:extra-headers:
 *
 * More headers for the upgrade and for token requests, never for the hosts of pictures. Those that
 * make up the connection, such as Host, are refused. They cannot be read, since they may hold a
 * secret.
 */
static void
install_transport (GObjectClass *klass)
{
  install (klass, CONNECTION, G_STRUCT_OFFSET (FalSettings, tls_validation_flags),
      g_param_spec_flags ("tls-validation-flags", "TLS validation flags",
          "Errors of the server's certificate for which it is refused",
          G_TYPE_TLS_CERTIFICATE_FLAGS, G_TLS_CERTIFICATE_VALIDATE_ALL, READY));
  install (klass, CONNECTION, G_STRUCT_OFFSET (FalSettings, tls_database),
      g_param_spec_object ("tls-database", "TLS database",
          "Certificate authorities that may vouch for the server (unset: those of the system)",
          G_TYPE_TLS_DATABASE, READY));
  STRING (CONNECTION, proxy, "proxy", "Proxy",
      "HTTP proxy, as http://[user:password@]host:port (unset: as the system is set up)", NULL,
      SECRET | GST_PARAM_MUTABLE_READY);
  STRING (CONNECTION, user_agent, "user-agent", "User agent",
      "Name that the element gives itself in requests to the server", "gst-fal/" FAL_VERSION,
      READY);
  STRUCTURE (CONNECTION, extra_headers, "extra-headers", "Extra headers",
      "More HTTP headers for the server, as headers, X-Team=video; a list of values sends the "
      "header more than once",
      SECRET | GST_PARAM_MUTABLE_READY);
}

/* More than a display shows. */
#define MAX_OUTPUT_FRAMERATE 240

/**
 * GstFalRealtimeFilter:enabled:
 *
 * With false the frames pass as they are, none is dropped, and the connection is closed. It can be
 * changed at any time.
 */
/**
 * GstFalRealtimeFilter:throttle-interval:
 *
 * How long to wait after a request before the next one over the same connection. Between two
 * requests of a live pipeline frames are dropped, so that the newest one is sent; where no frame is
 * dropped the stream gets slower instead. With 0 requests go as fast as the model answers.
 */
/**
 * GstFalRealtimeFilter:throttle-upstream:
 *
 * Whether sources and decoders are asked to make no frames that
 * #GstFalRealtimeFilter:throttle-interval would drop, which saves processor time.
 */
/**
 * GstFalRealtimeFilter:change-threshold:
 *
 * For a camera that watches a room in which mostly nothing happens: a frame that shows what the
 * last one that was sent showed is not sent, and the last result goes on standing for it. What is
 * compared is the brightness of each 16 by 16 pixels, after what lamps and automatic exposure did
 * to the whole picture was taken out. 4 suits a webcam, 2 a screen or a drawing; a frame goes all
 * the same where an input of the model has changed, and after
 * #GstFalRealtimeFilter:max-unchanged-time. Of a #GstFalRealtimeFilter:region that part alone is
 * compared, and where it lies: by 4 pixels an edge may be elsewhere. With
 * #GstFalRealtimeFilter:idle-timeout the connection is closed meanwhile. It has no effect on an app
 * that takes frames in blocks.
 */
/**
 * GstFalRealtimeFilter:max-unchanged-time:
 *
 * With #GstFalRealtimeFilter:change-threshold: how old the frame that was sent last may get, by the
 * time of the frames, before another one is sent whatever it shows.
 */
/**
 * GstFalRealtimeFilter:max-buffering:
 *
 * How many frames may wait for their turn. One is best for freshness; more keep a model busy that
 * takes frames unevenly. The app is told, too, where its server supports that.
 */
/**
 * GstFalRealtimeFilter:max-in-flight:
 *
 * How many requests may be under way at once over a connection. With 0 the element measures the way
 * and the model: in a live pipeline it sends each frame so that it arrives when the model gets
 * free, otherwise two are under way. Without request ids it is 2 and 1 at the most, unless this is
 * set: then the app has to answer every request.
 */
/**
 * GstFalRealtimeFilter:block-size:
 *
 * For apps that take a number of frames before they answer with as many pictures. These are then
 * shown evenly.
 */
/**
 * GstFalRealtimeFilter:leaky:
 *
 * What happens where the model is slower than upstream: with `downstream` the newest frame
 * replaces the one that waits, with `no` upstream waits.
 */
/**
 * GstFalRealtimeFilter:request-timeout:
 *
 * After this time a request is given up, and the next one goes. Until a first result came the
 * model may be loading, so that the element goes on waiting.
 */
/**
 * GstFalRealtimeFilter:drain-timeout:
 *
 * How long the end of the stream waits for results of frames that were sent.
 */
/**
 * GstFalRealtimeFilter:idle-timeout:
 *
 * Closes the connection, or all of them, where no frame comes, for instance in a pause, or none is
 * to be sent, as #GstFalRealtimeFilter:change-threshold or #GstFalRealtimeFilter:region-absent has
 * it. An open connection is billed by the second.
 */
/**
 * GstFalRealtimeFilter:session-limit:
 *
 * Ends the stream after this time, so that a pipeline somebody forgot does not cost money for
 * ever. The time of each connection counts, as each is paid for.
 */
/**
 * GstFalRealtimeFilter:price-per-second:
 *
 * What a second of an open connection costs, as the model's page has it, in any currency: `cost` in
 * #GstFalRealtimeFilter:stats is then in that currency. Another price holds for all that was
 * counted since the start.
 */
/**
 * GstFalRealtimeFilter:price-per-request:
 *
 * What a request costs, in the same way; where pictures have a price, as much as the pictures of a
 * request cost together.
 */
/**
 * GstFalRealtimeFilter:budget:
 *
 * Ends the stream, with a WARNING, before it costs more than this by the two prices, of which one
 * must be set. An element message `fal-cost` tells of each tenth of it. The time is counted from
 * the moment at which a connection stands, over all connections since READY; elements that share
 * one by #GstFalRealtimeFilter:connection-key pay for it in equal parts. Where a request would cost
 * too much, the stream ends before it, once those that went before have their answers.
 */
/**
 * GstFalRealtimeFilter:fallback:
 *
 * What is put out where no result came for #GstFalRealtimeFilter:fallback-timeout, so that an
 * encoder or a virtual camera always has a picture.
 */
/**
 * GstFalRealtimeFilter:fallback-timeout:
 *
 * How long the last result is shown alone before #GstFalRealtimeFilter:fallback begins.
 */
/**
 * GstFalRealtimeFilter:timestamp-mode:
 *
 * Which time a result gets: that of its frame, by which it stays in sync with sound, or that at
 * which it came, by which every sink shows it at once.
 */
/**
 * GstFalRealtimeFilter:latency:
 *
 * Set this to a little more than the model takes, and pictures stay in sync with sound: the whole
 * pipeline waits so long. Results that come later are late, and a WARNING says by how much. -1 is
 * for a preview.
 */
/**
 * GstFalRealtimeFilter:latency-mode:
 *
 * With `auto` nobody has to guess #GstFalRealtimeFilter:latency: it is found from the time that
 * results take, read back there, and found anew where the model gets faster or slower. A LATENCY
 * message says when it is another; an application that does not recalculate the latency then keeps
 * the old one.
 */
/**
 * GstFalRealtimeFilter:max-latency:
 *
 * With `latency-mode=auto` results that take longer are shown late.
 */
/**
 * GstFalRealtimeFilter:output-framerate:
 *
 * For whatever wants pictures at a constant rate: a virtual camera, an encoder, a muxer, a stream
 * to a server. A picture that was shown before is flagged GAP. Before the first result the fallback
 * is shown at once; without one the pictures begin with the first result. In a file each result is
 * shown for the time of its frame.
 */
/**
 * GstFalRealtimeFilter:transition:
 *
 * With an #GstFalRealtimeFilter:output-framerate above the rate of the results, `fade` shows each
 * picture between two results as a mean of both. In a live pipeline a result that comes takes as
 * long to fade in as results are usually apart, and a second at the most; one that comes meanwhile
 * fades in from what is seen then. In a file it has faded in at its own time. A result of another
 * size, pixel aspect ratio or colorimetry, the fallback, and frames that pass are cuts; so are
 * encoded pictures, and formats that are tiled or packed in odd bits, of which an INFO tells.
 */
static void
install_flow (GObjectClass *klass)
{
  BOOLEAN (ENABLED, enabled, "enabled", "Enabled",
      "Send frames to the app; if false they pass unchanged and there is no connection", TRUE,
      PLAYING);
  NUMBER (uint, PACING | IF_SET, throttle_interval, "throttle-interval", "Throttle interval",
      "Shortest time between two requests over a connection, in ms (0 = none; unset: as the app "
      "wants it). Where no frame is dropped it slows the stream: set 0 for files",
      0, G_MAXINT, 128, PLAYING);
  BOOLEAN (REQUEST, throttle_upstream, "throttle-upstream", "Throttle upstream",
      "Ask upstream by QoS events not to make frames that would be dropped; behind a tee that "
      "slows the other branches too",
      FALSE, PLAYING);
  NUMBER (uint, PACING, change_threshold, "change-threshold", "Change threshold",
      "Change of the most changed 16 x 16 pixels, in levels of brightness of 255, from which on a "
      "frame is sent; noise, flicker of the light and slow drift do not count (0 = every frame is "
      "sent)",
      0, 255, 0, PLAYING);
  TIMEOUT (PACING, max_unchanged_time, "max-unchanged-time", "Maximum unchanged time",
      "Time without a request after which a frame is sent though it is unchanged, in ms (0 = "
      "never)",
      0);
  NUMBER (uint, PACING | CONNECTION, max_buffering, "max-buffering", "Maximum buffering",
      "Frames that may wait here, and as max_buffering on the server (0 = unset: one here)", 0,
      FAL_MAX_BUFFERING, 0, PLAYING);
  NUMBER (uint, PACING, max_in_flight, "max-in-flight", "Maximum in flight",
      "Requests that may be without an answer at once over a connection (0 = chosen by the "
      "element, for the freshest results in a live pipeline). For an app that does not echo "
      "request ids, set it only if the app answers every request",
      0, 64, 0, PLAYING);
  NUMBER (uint, PACING | OUTPUT | IF_SET, block_size, "block-size", "Block size",
      "Frames that the app takes before it answers with as many pictures at once; sent at the rate "
      "of throttle-interval (0 = each frame is answered)",
      0, FAL_MAX_BLOCK_SIZE, 0, READY);
  ENUM (PACING | OUTPUT, leaky, "leaky", "Leaky",
      "Whether a waiting frame is dropped for a newer one", leaky_type (), FAL_LEAKY_AUTO, PLAYING);
  TIMEOUT (PACING | CONNECTION | WATCHDOG, request_timeout, "request-timeout", "Request timeout",
      "Longest wait for the answer to a request, in ms (0 = no limit)", 10000);
  TIMEOUT (OUTPUT, drain_timeout, "drain-timeout", "Drain timeout",
      "Longest wait at the end of the stream for results still to come, in ms (0 = no limit)",
      10000);
  TIMEOUT (WATCHDOG, idle_timeout, "idle-timeout", "Idle timeout",
      "Time without a frame to send after which all connections are closed until the next one, in "
      "ms (0 = never)",
      0);
  NUMBER (uint, WATCHDOG, session_limit, "session-limit", "Session limit",
      "Time connected, of all connections together, after which the stream ends, in seconds (0 = "
      "no limit): saves paying for a forgotten pipeline",
      0, G_MAXINT, 0, PLAYING);
  NUMBER (double, BUDGET, price_per_second, "price-per-second", "Price per second",
      "Price of a second that the connection is open, as the model's page has it (0 = unknown)", 0,
      G_MAXDOUBLE, 0, PLAYING);
  NUMBER (double, BUDGET, price_per_request, "price-per-request", "Price per request",
      "Price of a request, as the model's page has it, in the same currency (0 = unknown)", 0,
      G_MAXDOUBLE, 0, PLAYING);
  NUMBER (double, BUDGET, budget, "budget", "Budget",
      "Cost after which the stream ends, by the prices that are set (0 = no limit)", 0, G_MAXDOUBLE,
      0, PLAYING);
  ENUM (OUTPUT, fallback, "fallback", "Fallback",
      "What is shown while no result comes, in a pipeline where frames may be dropped",
      fallback_type (), FAL_FALLBACK_NONE, PLAYING);
  TIMEOUT (OUTPUT, fallback_timeout, "fallback-timeout", "Fallback timeout",
      "Time without a result after which the fallback is shown, in ms", 1000);
  ENUM (OUTPUT, timestamp_mode, "timestamp-mode", "Timestamp mode", "Time stamp of a result",
      timestamp_mode_type (), FAL_TIMESTAMP_MODE_AUTO, READY);
  NUMBER (int, OUTPUT, latency, "latency", "Latency",
      "Time that a result may take, in ms, in a live pipeline: each result keeps the time of its "
      "frame, and the pipeline's latency grows by this (-1 = a result gets the time at which it "
      "comes)",
      -1, G_MAXINT, -1, PLAYING);
  ENUM (OUTPUT, latency_mode, "latency-mode", "Latency mode",
      "Whether latency is what was set, or is found in a live pipeline, as short as lets results "
      "keep the distance of their frames; what was set is then the least",
      latency_mode_type (), FAL_LATENCY_MODE_FIXED, PLAYING);
  NUMBER (uint, OUTPUT, max_latency, "max-latency", "Maximum latency",
      "Longest latency that latency-mode=auto finds, in ms", 0, G_MAXINT, 5000, PLAYING);
  install (klass, OUTPUT, G_STRUCT_OFFSET (FalSettings, output_framerate),
      gst_param_spec_fraction ("output-framerate", "Output framerate",
          "Rate of the pictures, whatever network and model do: each is the newest result, or the "
          "last one again, or the fallback (0/1 = results as they come)",
          0, 1, MAX_OUTPUT_FRAMERATE, 1, 0, 1, PLAYING));
  ENUM (OUTPUT, transition, "transition", "Transition",
      "How a result follows the one before, at an output-framerate above that of the results",
      transition_type (), FAL_TRANSITION_CUT, PLAYING);
}

/**
 * GstFalRealtimeFilter:prompt:
 *
 * The text that says what the model makes of the frames. A change takes effect with the next
 * frame.
 */
/**
 * GstFalRealtimeFilter:negative-prompt:
 *
 * The text that says what the model is to avoid. Many apps ignore it.
 */
/**
 * GstFalRealtimeFilter:seed:
 *
 * With the same seed a model makes the same of the same frame, so that a steady one flickers less.
 * The action #GstFalRealtimeFilter::unset makes it random again.
 */
/**
 * GstFalRealtimeFilter:num-inference-steps:
 *
 * How many steps the model takes: 2 to 8 is usual for models of this kind.
 */
/**
 * GstFalRealtimeFilter:strength:
 *
 * 0 leaves the frame as it is, 1 ignores it. A controller can drive it.
 */
/**
 * GstFalRealtimeFilter:guidance-scale:
 *
 * How much the model follows #GstFalRealtimeFilter:prompt; 1 is usual for fast models.
 */
/**
 * GstFalRealtimeFilter:parameters:
 *
 * Any inputs, by the names that the app gives them. A structure in it becomes an object, an array
 * a list. What the properties for single inputs say has precedence.
 */
/**
 * GstFalRealtimeFilter:parameters-json:
 *
 * The same as text, for inputs that are hard to write as a structure. It has the least precedence.
 */
/**
 * GstFalRealtimeFilter:image-field:
 *
 * Which input takes the frame, such as `image_url`, `image_bytes` or `inputs.image`.
 */
/**
 * GstFalRealtimeFilter:image-encoding:
 *
 * Whether the frame is sent as bytes, which is smallest, or as text, which some apps want.
 */
/**
 * GstFalRealtimeFilter:encoding:
 *
 * Nearly all apps want msgpack.
 */
/**
 * GstFalRealtimeFilter:request-id:
 *
 * An app that sends the id back lets each result find its frame, whatever gets lost. Some apps
 * refuse a field that they do not know: then set `never`.
 */
/**
 * GstFalRealtimeFilter:start-fields:
 *
 * For apps that want something once, such as a portrait to animate. The field is left out of all
 * later requests of the connection.
 */
/**
 * GstFalRealtimeFilter:feedback-fields:
 *
 * For apps that keep their state in the messages: what a result brought in these fields goes back
 * with the next request.
 */
/**
 * GstFalRealtimeFilter:wait-for-ready:
 *
 * For apps that load after the connection stands, and say `ready` when that is over.
 */
/**
 * GstFalRealtimeFilter:server-streaming:
 *
 * For apps that answer one request with many results.
 */
/**
 * GstFalRealtimeFilter:app-defaults:
 *
 * For the apps that are known to work, this sets path, picture and other properties as they want
 * them. A property that was set keeps its value.
 */
static void
install_inputs (GObjectClass *klass)
{
  STRING (REQUEST | INPUT, prompt, "prompt", "Prompt",
      "What the picture is to show (unset: not sent)", NULL, PLAYING);
  STRING (REQUEST | INPUT, negative_prompt, "negative-prompt", "Negative prompt",
      "What the picture is not to show (unset: not sent)", NULL, PLAYING);
  NUMBER (int64, REQUEST | IF_SET | INPUT, seed, "seed", "Seed",
      "Start of the model's random numbers: the same seed gives the same picture (not sent until "
      "it is set)",
      G_MININT64, G_MAXINT64, 0, CONTROL);
  NUMBER (int, REQUEST | IF_SET | INPUT, num_inference_steps, "num-inference-steps",
      "Inference steps",
      "Steps that the model takes for a picture: more are slower (not sent until it is set)", 0,
      1000, 4, CONTROL);
  NUMBER (double, REQUEST | IF_SET | INPUT, strength, "strength", "Strength",
      "How far the model departs from the frame, 0 to 1 (not sent until it is set)", 0, 1, 0.5,
      CONTROL);
  NUMBER (double, REQUEST | IF_SET | INPUT, guidance_scale, "guidance-scale", "Guidance scale",
      "How closely the model keeps to the prompt (not sent until it is set)", 0, 100, 1, CONTROL);
  STRUCTURE (REQUEST | INPUT, parameters, "parameters", "Parameters",
      "Any inputs of the model, as params, sync_mode=true, image_size=square", PLAYING);
  STRING (REQUEST | INPUT, parameters_json, "parameters-json", "Parameters as JSON",
      "Any inputs of the model as a JSON object, nested ones too; parameters and the properties "
      "for single inputs have precedence",
      NULL, PLAYING);
  STRING (REQUEST, image_field, "image-field", "Image field",
      "Name of the input that takes the frame, with dots where it is nested (auto: as the app "
      "wants it; unknown apps: image_url)",
      "auto", READY);
  ENUM (REQUEST, image_encoding, "image-encoding", "Image encoding",
      "Form in which the frame stands in the request", image_encoding_type (),
      FAL_IMAGE_ENCODING_AUTO, READY);
  ENUM (REQUEST, encoding, "encoding", "Encoding", "Encoding of requests", encoding_type (),
      FAL_MESSAGE_ENCODING_MSGPACK, READY);
  ENUM (REQUEST | PACING, request_id, "request-id", "Request id",
      "Whether each request carries an id, by which its result finds its frame", request_id_type (),
      FAL_REQUEST_ID_AUTO, READY);
  STRING (REQUEST | IF_SET, start_fields, "start-fields", "Start fields",
      "Names of inputs, comma separated, that only the first request of a connection carries; one "
      "for which parameters has no value carries the frame",
      NULL, READY);
  STRING (REQUEST | CONNECTION | IF_SET, feedback_fields, "feedback-fields", "Feedback fields",
      "Names of fields, comma separated, that each request copies from the last result", NULL,
      READY);
  BOOLEAN (CONNECTION | IF_SET, wait_for_ready, "wait-for-ready", "Wait for ready",
      "Send the first request only when the app has said that it is ready", FALSE, READY);
  BOOLEAN (OUTPUT | CONNECTION | IF_SET, server_streaming, "server-streaming", "Server streaming",
      "The app answers one request with several results and closes the connection: the end of the "
      "stream waits for that",
      FALSE, READY);
  BOOLEAN (REQUEST | PACING | OUTPUT | CONNECTION, app_defaults, "app-defaults", "App defaults",
      "Use what is known of the app for properties that are not set", TRUE, READY);
}

/**
 * GstFalRealtimeFilter:region:
 *
 * The part of each frame that is sent: `X,Y,W,H` in the frame's pixels, from its upper left corner,
 * or, with `meta`, what an element before has found, as a #GstVideoRegionOfInterestMeta;
 * `meta:face` takes only those of the type `face`. Of several it is the one with the most pixels
 * in the frame. #GstFalRealtimeFilter:width, #GstFalRealtimeFilter:height and
 * #GstFalRealtimeFilter:fit say how it is sent. What lies outside of the frame is cut off. A change
 * holds for the frames that come from then on; a text that cannot be read changes nothing, and a
 * WARNING says so.
 *
 * Of an encoded frame the region is decoded, and sent as a JPEG.
 */
/**
 * GstFalRealtimeFilter:region-margin:
 *
 * What is added to the region on each side, in percent of its width and height, up to the frame's
 * edges: 25 makes one of 100 × 80 pixels 150 × 120. Detectors often find less than a model needs to
 * see.
 */
/**
 * GstFalRealtimeFilter:region-absent:
 *
 * What becomes of a frame in which nothing was found, or whose region lies outside of it. With
 * `pass` it goes out as it is, in its own size; with `hold` the last result stands: it is shown
 * again with #GstFalRealtimeFilter:output-framerate, and a GAP goes out without.
 */
/**
 * GstFalRealtimeFilter:width:
 *
 * The width to which frames are cropped and scaled before they are sent. Many models are fastest
 * at 512; known apps have a size of their own. Encoded frames travel as they are, unless
 * #GstFalRealtimeFilter:region names a part of them.
 */
/**
 * GstFalRealtimeFilter:height:
 *
 * The height, in the same way.
 */
/**
 * GstFalRealtimeFilter:fit:
 *
 * What happens to a frame of another shape than #GstFalRealtimeFilter:width and
 * #GstFalRealtimeFilter:height.
 */
/**
 * GstFalRealtimeFilter:quality:
 *
 * The quality of the JPEG that is sent. Less makes requests smaller on a slow uplink. A controller
 * can drive it.
 */
static void
install_pictures (GObjectClass *klass)
{
  STRING (REGION, region, "region", "Region",
      "Part of the frame that is sent: X,Y,W,H in its pixels, or meta, or meta:TYPE, for a region "
      "of interest that an element before has found (empty = the whole frame)",
      NULL, PLAYING);
  NUMBER (uint, REGION, region_margin, "region-margin", "Region margin",
      "Percent of its width and height by which the region grows on each side", 0, 1000, 0,
      PLAYING);
  ENUM (REGION, region_absent, "region-absent", "Region absent",
      "What becomes of a frame that has no region", region_absent_type (), FAL_REGION_ABSENT_PASS,
      PLAYING);
  NUMBER (uint, REQUEST | OUTPUT | IF_SET, width, "width", "Width",
      "Width of the picture sent, in pixels (0 = that of the frame)", 0, 16384, 0, PLAYING);
  NUMBER (uint, REQUEST | OUTPUT | IF_SET, height, "height", "Height",
      "Height of the picture sent, in pixels (0 = that of the frame)", 0, 16384, 0, PLAYING);
  ENUM (REQUEST | OUTPUT, fit, "fit", "Fit", "How a frame is fitted into width and height",
      fit_type (), FAL_FIT_CROP, PLAYING);
  NUMBER (int, REQUEST | IF_SET, quality, "quality", "Quality",
      "JPEG quality of the picture sent, 1 to 100", 1, 100, 85, CONTROL);
}

/**
 * GstFalRealtimeFilter:result-field:
 *
 * Where the pictures are in a result, as a path: `image`, `images[*].content`, `images[0].url`.
 */
/**
 * GstFalRealtimeFilter:result-hosts:
 *
 * From where a picture is fetched that a result only links to. Addresses in private networks are
 * refused whatever stands here. With `sync_mode=true` in #GstFalRealtimeFilter:parameters many
 * apps send the picture itself, which is faster.
 */
/**
 * GstFalRealtimeFilter:max-pixels:
 *
 * A picture of more pixels is dropped before it is decoded, and counted in
 * #GstFalRealtimeFilter:stats.
 */
/**
 * GstFalRealtimeFilter:post-messages:
 *
 * Whether the application is told of each result by an element message `fal-result`, which holds
 * all fields of the result but its picture.
 */
static void
install_results (GObjectClass *klass)
{
  STRING (CONNECTION, result_field, "result-field", "Result field",
      "Place of the pictures in a result, such as images[*].content (auto: as the app answers; "
      "unknown apps: the usual places)",
      "auto", READY);
  STRING (CONNECTION, result_hosts, "result-hosts", "Result hosts",
      "Hosts, comma separated, from which a picture may be fetched where a result only links to "
      "it; *.example.org stands for every host below example.org",
      "*.fal.media,*.fal.ai,*.fal.run", READY);
  NUMBER (uint, OUTPUT, max_pixels, "max-pixels", "Maximum pixels",
      "Largest picture accepted from the server, in pixels", 1, G_MAXINT, 7680 * 4320, READY);
  BOOLEAN (OUTPUT, post_messages, "post-messages", "Post messages",
      "Post an element message fal-result on the bus for each result", TRUE, READY);
}

/* Wider than any region needs. */
#define MAX_FEATHER 512

/**
 * GstFalRealtimeFilter:composite:
 *
 * Whether a result goes out laid on the very frame that it answers, in the size and format of the
 * frames. With `over` the picture is laid on the part of the frame that was sent. With `matte` and
 * `matte-over` it is a mask, or a picture with alpha, that says what of the frame is seen: before
 * #GstFalRealtimeFilter:background, or transparent where downstream takes a format with alpha. A
 * change between `over` and `matte-over`, or of #GstFalRealtimeFilter:enabled or
 * #GstFalRealtimeFilter:fallback, changes no caps; but with `matte` frames that pass have no alpha.
 */
/**
 * GstFalRealtimeFilter:composite-frames:
 *
 * With `all` every frame comes out at the rate of the camera, though only some of them are sent:
 * one that has no result gets what lies between the two beside it. Set
 * #GstFalRealtimeFilter:latency-mode to `auto`, or #GstFalRealtimeFilter:latency to more than a
 * result takes and the time between two of them; without a latency a frame goes out at once, with
 * the newest result. While no result comes frames go out as #GstFalRealtimeFilter:fallback says.
 */
/**
 * GstFalRealtimeFilter:feather:
 *
 * How wide the edge is over which a picture that is laid on its frame fades into it, so that no
 * seam is seen. It does not soften a matte.
 */
/**
 * GstFalRealtimeFilter:background:
 *
 * What `composite=matte-over` lays the frames on: a colour, written as `#RRGGBB`, `0xAARRGGBB` or
 * by its name, or `blur` for the frame itself, out of focus.
 */
/**
 * GstFalRealtimeFilter:max-held-bytes:
 *
 * How much memory the frames may take that wait for their results. Beyond that no request is sent;
 * with `composite-frames=all` the oldest frame goes out as it would at the end of its time, or is
 * dropped where downstream does not take it yet; in a pipeline that is not live upstream waits.
 */
static void
install_composite (GObjectClass *klass)
{
  ENUM (OUTPUT, composite, "composite", "Composite",
      "What a result becomes on the frame that it answers", composite_type (), FAL_COMPOSITE_NONE,
      PLAYING);
  ENUM (OUTPUT, composite_frames, "composite-frames", "Composite frames",
      "Which frames come out with a composite", composite_frames_type (),
      FAL_COMPOSITE_FRAMES_RESULTS, PLAYING);
  NUMBER (uint, OUTPUT, feather, "feather", "Feather",
      "Width of the soft edge of composite=over, inside of what was sent, in pixels of the frame "
      "(0 = hard)",
      0, MAX_FEATHER, 0, PLAYING);
  STRING (OUTPUT, background, "background", "Background",
      "What composite=matte-over lays a frame on: #RRGGBB, 0xAARRGGBB, the name of a colour, or "
      "blur",
      "black", PLAYING);
  NUMBER (uint64, OUTPUT, max_held_bytes, "max-held-bytes", "Maximum held bytes",
      "Memory for frames that wait for their result, for a composite, in bytes", 0, G_MAXUINT64,
      256 * 1024 * 1024, READY);
}

guint
fal_properties_install (GObjectClass *klass)
{
  install_connection (klass);
  install_transport (klass);
  install_results (klass);
  n_shared = n_rows;
  install_flow (klass);
  install_composite (klass);
  install_inputs (klass);
  install_pictures (klass);
  return n_rows - 1;
}
