/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of properties: a row says which field of the settings a property is, whom it concerns
 * and how it is presented to a user. It is filled while the element's class is made and then only
 * read, on any thread. */
#include "properties.h"

#define MAX_PROPERTIES 64 /* a bit of FalSettings.set for each */

/* Indexed by id. */
static struct {
  GParamSpec *spec;
  GType type;   /* the fundamental one of its values */
  gsize offset; /* of its field in FalSettings */
  FalConcerns concerns;
  gboolean set_counts; /* a value that was set says something else than an equal default */
} rows[MAX_PROPERTIES];
static guint n_rows = 1;                 /* ids begin at 1 */
static guint8 ids[sizeof (FalSettings)]; /* of the field at each offset; 0: no property's */
static guint n_shared; /* elements on one connection must agree about the rows before this one */

void
fal_properties_set (FalSettings *settings, guint id, const GValue *value)
{
  gpointer field = G_STRUCT_MEMBER_P (settings, rows[id].offset);

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

static void
set_default (FalSettings *settings, guint id)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_PARAM_SPEC_VALUE_TYPE (rows[id].spec));
  g_param_value_set_default (rows[id].spec, &value);
  fal_properties_set (settings, id, &value);
}

void
fal_properties_set_defaults (FalSettings *settings)
{
  for (guint id = 1; id < n_rows; id++)
    set_default (settings, id);
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
  return (settings->set >> id) & 1;
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
fal_properties_is_set (const FalSettings *settings, gsize offset)
{
  guint id = ids[offset];

  g_return_val_if_fail (rows[id].set_counts, FALSE);
  return is_set (settings, id);
}

/* In the row of a property: that it was set counts, even if only to its default. Such a property
 * has one more meaning while it is not set: it is absent, or as the app's profile says. */
#define IF_SET (1 << 30)

static void
install (GObjectClass *klass, guint concerns, gsize offset, GParamSpec *spec)
{
  g_return_if_fail (n_rows < MAX_PROPERTIES);
  if (G_IS_PARAM_SPEC_ENUM (spec))
    gst_type_mark_as_plugin_api (G_PARAM_SPEC_VALUE_TYPE (spec), 0);
  rows[n_rows].spec = spec;
  rows[n_rows].type = G_TYPE_FUNDAMENTAL (G_PARAM_SPEC_VALUE_TYPE (spec));
  rows[n_rows].offset = offset;
  rows[n_rows].concerns = concerns & ~IF_SET;
  rows[n_rows].set_counts = (concerns & IF_SET) != 0;
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
        "The token, else one from request-token, else one requested with the API key, else none",
        "auto" },
    { FAL_AUTH_TOKEN, "A token in the address", "token" },
    { FAL_AUTH_KEY_HEADER, "The API key in the Authorization header", "key-header" },
    { FAL_AUTH_KEY_QUERY, "The API key in the address, as older apps want it", "key-query" },
    { FAL_AUTH_NONE, "None: a public or self-hosted app", "none" })
ENUM_TYPE (token_request_type, "GstFalTokenRequest",
    { FAL_TOKEN_REQUEST_ALIAS, "allowed_apps with the alias", "alias" },
    { FAL_TOKEN_REQUEST_PATH, "allowed_apps with owner/alias/realtime", "path" },
    { FAL_TOKEN_REQUEST_APP, "app with the whole id", "app" })
ENUM_TYPE (leaky_type, "GstFalLeaky",
    { FAL_LEAKY_AUTO, "Old frames drop in a live pipeline, else upstream waits", "auto" },
    { FAL_LEAKY_NO, "Upstream waits and no frame is lost", "no" },
    { FAL_LEAKY_DOWNSTREAM, "Old frames drop for newer ones", "downstream" })
ENUM_TYPE (image_encoding_type, "GstFalImageEncoding",
    { FAL_IMAGE_ENCODING_AUTO, "As the app wants it; unknown apps: data-uri", "auto" },
    { FAL_IMAGE_ENCODING_BYTES, "Bytes", "bytes" },
    { FAL_IMAGE_ENCODING_DATA_URI, "Data URI", "data-uri" },
    { FAL_IMAGE_ENCODING_BASE64, "Base64 text", "base64" })
ENUM_TYPE (encoding_type, "GstFalEncoding", { FAL_MESSAGE_ENCODING_MSGPACK, "msgpack", "msgpack" },
    { FAL_MESSAGE_ENCODING_JSON, "JSON in a binary frame", "json" })
ENUM_TYPE (request_id_type, "GstFalRequestId",
    { FAL_REQUEST_ID_AUTO, "Unless the app is known not to echo it", "auto" },
    { FAL_REQUEST_ID_ALWAYS, "Always", "always" },
    { FAL_REQUEST_ID_NEVER, "Never: results are matched in order", "never" })
ENUM_TYPE (fit_type, "GstFalFit", { FAL_FIT_CROP, "Fill the size, cut what is over", "crop" },
    { FAL_FIT_LETTERBOX, "The whole picture between black bars", "letterbox" },
    { FAL_FIT_STRETCH, "Stretch to the size", "stretch" })
ENUM_TYPE (timestamp_mode_type, "GstFalTimestampMode",
    { FAL_TIMESTAMP_MODE_AUTO, "Arrival in a live pipeline without latency, else input", "auto" },
    { FAL_TIMESTAMP_MODE_INPUT, "Those of the frame that a result answers", "input" },
    { FAL_TIMESTAMP_MODE_ARRIVAL, "When the result came", "arrival" })

ENUM_TYPE (fallback_type, "GstFalFallback",
    { FAL_FALLBACK_NONE, "Nothing; downstream is told of the gap", "none" },
    { FAL_FALLBACK_LAST, "The last result; black before the first", "last" },
    { FAL_FALLBACK_PASSTHROUGH, "The frames themselves, in the size of the results",
        "passthrough" },
    { FAL_FALLBACK_BLACK, "Black", "black" })

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

static void
install_connection (GObjectClass *klass)
{
  STRING (REQUEST | PACING | OUTPUT | CONNECTION, app, "app", "App",
      "Application to connect to, owner/alias[/sub], such as fal-ai/fast-lcm-diffusion", NULL,
      READY);
  STRING (CONNECTION | IF_SET, path, "path", "Path", "Path below the app; some older apps use /ws",
      "/realtime", READY);
  STRING (CONNECTION, base_uri, "base-uri", "Base URI",
      "Where apps are served; ws://127.0.0.1:PORT for a local server (FAL_RUN_HOST sets the host)",
      "wss://fal.run", READY);
  STRING (CONNECTION, token, "token", "Token",
      "A ready token (JWT) for the app, used for the next connection", NULL,
      SECRET | GST_PARAM_MUTABLE_PLAYING);
  STRING (CONNECTION, api_key, "api-key", "API key",
      "id:secret of a fal key; better in the environment as FAL_KEY, or FAL_KEY_ID and "
      "FAL_KEY_SECRET",
      NULL, SECRET | GST_PARAM_MUTABLE_READY);
  STRING (CONNECTION, api_key_file, "api-key-file", "API key file",
      "A file whose first line is the fal key, id:secret; read at the start", NULL, READY);
  ENUM (CONNECTION, auth, "auth", "Authentication", "How the element proves who it is",
      auth_type (), FAL_AUTH_AUTO, READY);
  STRING (CONNECTION, token_uri, "token-uri", "Token URI",
      "Where a token is requested with the API key", "https://rest.fal.ai/tokens/", READY);
  STRING (CONNECTION, token_proxy_uri, "token-proxy-uri", "Token proxy URI",
      "A server of your own that adds the key and asks for the token (x-fal-target-url); needs no "
      "key here",
      NULL, READY);
  ENUM (CONNECTION, token_request, "token-request", "Token request",
      "Which form of token request is sent", token_request_type (), FAL_TOKEN_REQUEST_ALIAS, READY);
  NUMBER (uint, CONNECTION, token_expiration, "token-expiration", "Token expiration",
      "Life of a requested token, in seconds", 1, 86400, 120, READY);
  BOOLEAN (CONNECTION, allow_insecure, "allow-insecure", "Allow insecure",
      "Send credentials over an unencrypted connection to another machine", FALSE, READY);
  STRING (CONNECTION, connection_key, "connection-key", "Connection key",
      "Elements of a process with the same key share one connection", NULL, READY);
  TIMEOUT (CONNECTION, connect_timeout, "connect-timeout", "Connect timeout",
      "Time for token and handshake together, in ms (0 = unlimited)", 30000);
  NUMBER (int, CONNECTION, retries, "retries", "Retries",
      "Attempts in a row to connect again before giving up (-1 = for ever, once a first "
      "connection stood)",
      -1, G_MAXINT, -1, PLAYING);
  TIMEOUT (CONNECTION, retry_delay, "retry-delay", "Retry delay",
      "Before the first new attempt, in ms", 250);
  TIMEOUT (CONNECTION, max_retry_delay, "max-retry-delay", "Maximum retry delay",
      "Most time between two attempts, in ms", 8000);
  NUMBER (uint64, CONNECTION, max_message_size, "max-message-size", "Maximum message size",
      "Largest message taken from the server, in bytes", 1024, G_GUINT64_CONSTANT (1) << 30,
      16 * 1024 * 1024, READY);
}

static void
install_transport (GObjectClass *klass)
{
  install (klass, CONNECTION, G_STRUCT_OFFSET (FalSettings, tls_validation_flags),
      g_param_spec_flags ("tls-validation-flags", "TLS validation flags",
          "Which errors of the server's certificate count", G_TYPE_TLS_CERTIFICATE_FLAGS,
          G_TLS_CERTIFICATE_VALIDATE_ALL, READY));
  install (klass, CONNECTION, G_STRUCT_OFFSET (FalSettings, tls_database),
      g_param_spec_object ("tls-database", "TLS database",
          "Authorities that may vouch for the server (unset: the system's)", G_TYPE_TLS_DATABASE,
          READY));
  STRING (CONNECTION, proxy, "proxy", "Proxy",
      "HTTP proxy, http://[user:password@]host:port (unset: as the system is set up)", NULL,
      SECRET | GST_PARAM_MUTABLE_READY);
  STRING (CONNECTION, user_agent, "user-agent", "User agent",
      "What the element calls itself to the server", "gst-fal/" FAL_VERSION, READY);
  STRUCTURE (CONNECTION, extra_headers, "extra-headers", "Extra headers",
      "More HTTP headers: headers, X-Team=video; a list of values sends the header more than once",
      SECRET | GST_PARAM_MUTABLE_READY);
}

static void
install_flow (GObjectClass *klass)
{
  BOOLEAN (ENABLED, enabled, "enabled", "Enabled",
      "Send frames to the app; otherwise they pass unchanged and no connection is made", TRUE,
      PLAYING);
  NUMBER (uint, PACING, throttle_interval, "throttle-interval", "Throttle interval",
      "Least time between two requests, in ms (0 = none). Where frames are not dropped it "
      "spaces them: set 0 for files",
      0, G_MAXINT, 128, PLAYING);
  NUMBER (uint, PACING | CONNECTION, max_buffering, "max-buffering", "Maximum buffering",
      "Frames that may wait, here and (sent as max_buffering) on the server (0 = unset: one here)",
      0, FAL_MAX_BUFFERING, 0, PLAYING);
  NUMBER (uint, PACING, max_in_flight, "max-in-flight", "Maximum in flight",
      "Requests that may be unanswered (0 = adaptive in a live pipeline, each frame sent so that "
      "it arrives just as the model gets free; 2 otherwise). At most 2 where the app echoes no "
      "request ids",
      0, 64, 0, PLAYING);
  ENUM (PACING | OUTPUT, leaky, "leaky", "Leaky",
      "Whether a waiting frame is dropped for a newer one", leaky_type (), FAL_LEAKY_AUTO, PLAYING);
  TIMEOUT (PACING | CONNECTION | WATCHDOG, request_timeout, "request-timeout", "Request timeout",
      "Time after which an unanswered request is given up, in ms (0 = never)", 10000);
  TIMEOUT (OUTPUT, drain_timeout, "drain-timeout", "Drain timeout",
      "Longest wait at the end of the stream for results still to come, in ms (0 = unlimited)",
      10000);
  TIMEOUT (WATCHDOG, idle_timeout, "idle-timeout", "Idle timeout",
      "Time without a frame after which the connection is closed until the next one, in ms "
      "(0 = never)",
      0);
  NUMBER (uint, WATCHDOG, session_limit, "session-limit", "Session limit",
      "Time connected after which the stream ends, in seconds (0 = none): a guard against paying "
      "for a forgotten pipeline",
      0, G_MAXINT, 0, PLAYING);
  ENUM (OUTPUT, fallback, "fallback", "Fallback",
      "What is shown while no result comes, where frames drop", fallback_type (), FAL_FALLBACK_NONE,
      PLAYING);
  TIMEOUT (OUTPUT, fallback_timeout, "fallback-timeout", "Fallback timeout",
      "Time without a result before the fallback is shown, in ms", 1000);
  ENUM (OUTPUT, timestamp_mode, "timestamp-mode", "Timestamp mode",
      "Which time results are stamped with", timestamp_mode_type (), FAL_TIMESTAMP_MODE_AUTO,
      READY);
  NUMBER (int, OUTPUT, latency, "latency", "Latency",
      "Latency reported in a live pipeline, in ms (-1 = not synchronised)", -1, G_MAXINT, -1,
      PLAYING);
}

static void
install_inputs (GObjectClass *klass)
{
  STRING (REQUEST, prompt, "prompt", "Prompt", "What the model is asked for (unset: not sent)",
      NULL, PLAYING);
  STRING (REQUEST, negative_prompt, "negative-prompt", "Negative prompt",
      "What the model is to avoid (unset: not sent)", NULL, PLAYING);
  NUMBER (int64, REQUEST | IF_SET, seed, "seed", "Seed",
      "Seed of the model (not sent until it is set)", G_MININT64, G_MAXINT64, 0, CONTROL);
  NUMBER (int, REQUEST | IF_SET, num_inference_steps, "num-inference-steps", "Inference steps",
      "Steps of the model (not sent until it is set)", 0, 1000, 4, CONTROL);
  NUMBER (double, REQUEST | IF_SET, strength, "strength", "Strength",
      "How far the model departs from the picture (not sent until it is set)", 0, 1, 0.5, CONTROL);
  NUMBER (double, REQUEST | IF_SET, guidance_scale, "guidance-scale", "Guidance scale",
      "How closely the model keeps to the prompt (not sent until it is set)", 0, 100, 1, CONTROL);
  STRUCTURE (REQUEST, parameters, "parameters", "Parameters",
      "Any inputs of the model: params, sync_mode=true, image_size=square", PLAYING);
  STRING (REQUEST, parameters_json, "parameters-json", "Parameters as JSON",
      "A JSON object with any inputs of the model, nested ones too; parameters and the named "
      "properties go over it",
      NULL, PLAYING);
  STRING (REQUEST, image_field, "image-field", "Image field",
      "Dotted name of the picture in the request (auto: as the app wants it; unknown apps: "
      "image_url)",
      "auto", READY);
  ENUM (REQUEST, image_encoding, "image-encoding", "Image encoding",
      "How the picture stands in the request", image_encoding_type (), FAL_IMAGE_ENCODING_AUTO,
      READY);
  ENUM (REQUEST, encoding, "encoding", "Encoding", "How requests are encoded", encoding_type (),
      FAL_MESSAGE_ENCODING_MSGPACK, READY);
  ENUM (REQUEST | PACING, request_id, "request-id", "Request id", "Whether a request id is sent",
      request_id_type (), FAL_REQUEST_ID_AUTO, READY);
  STRING (REQUEST | IF_SET, start_fields, "start-fields", "Start fields",
      "Names of inputs that only the first message of a connection carries, comma separated; one "
      "that no parameter has carries the picture there",
      NULL, READY);
  STRING (REQUEST | CONNECTION | IF_SET, feedback_fields, "feedback-fields", "Feedback fields",
      "Names of fields that each request takes from the last result, comma separated", NULL, READY);
  BOOLEAN (CONNECTION | IF_SET, wait_for_ready, "wait-for-ready", "Wait for ready",
      "Send nothing on a connection before the app says that it is ready", FALSE, READY);
  BOOLEAN (OUTPUT | CONNECTION | IF_SET, server_streaming, "server-streaming", "Server streaming",
      "The app answers a request with several results and closes: the end of the stream waits for "
      "that",
      FALSE, READY);
  BOOLEAN (REQUEST | PACING | OUTPUT | CONNECTION, app_defaults, "app-defaults", "App defaults",
      "Apply what is known of the app where a property was not set", TRUE, READY);
}

static void
install_pictures (GObjectClass *klass)
{
  NUMBER (uint, REQUEST | OUTPUT | IF_SET, width, "width", "Width",
      "Width of the picture sent (0 = as it comes)", 0, 16384, 0, PLAYING);
  NUMBER (uint, REQUEST | OUTPUT | IF_SET, height, "height", "Height",
      "Height of the picture sent (0 = as it comes)", 0, 16384, 0, PLAYING);
  ENUM (REQUEST | OUTPUT, fit, "fit", "Fit", "How a frame is made to fit width and height",
      fit_type (), FAL_FIT_CROP, PLAYING);
  NUMBER (int, REQUEST | IF_SET, quality, "quality", "Quality", "JPEG quality of the picture sent",
      1, 100, 85, CONTROL);
}

static void
install_results (GObjectClass *klass)
{
  STRING (CONNECTION, result_field, "result-field", "Result field",
      "Where the pictures are in the result, such as images[*].content", "auto", READY);
  STRING (CONNECTION, result_hosts, "result-hosts", "Result hosts",
      "Hosts that a result's https link may be fetched from, comma separated; * stands for any "
      "name "
      "below",
      "*.fal.media,*.fal.ai,*.fal.run", READY);
  NUMBER (uint, OUTPUT, max_pixels, "max-pixels", "Maximum pixels",
      "Largest picture taken from the server, in pixels", 1, G_MAXINT, 7680 * 4320, READY);
  BOOLEAN (OUTPUT, post_messages, "post-messages", "Post messages",
      "Post an element message fal-result for each result", TRUE, READY);
}

guint
fal_properties_install (GObjectClass *klass)
{
  install_connection (klass);
  install_transport (klass);
  install_results (klass);
  n_shared = n_rows;
  install_flow (klass);
  install_inputs (klass);
  install_pictures (klass);
  return n_rows - 1;
}
