/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The limit: figures of the time between two looks, and one question after the other. */
#include "limit.h"

/* What takes so much of the time between two pictures is what limits them. */
#define MOST 0.6
/* So much of the camera's pictures are all of them: a look may fall between two. */
#define ALL 0.9
/* Of the results that came; what is shown less often lags behind. */
#define SHOWN 0.8
/* Requests this much rarer than the throttle lets them go are not limited by it. */
#define THROTTLE_MARGIN 1.15

static const gchar *const names[] = { "nothing", "off", "offline", "throttle", "encoding", "uplink",
  "model", "downlink", "decoding", "sink" };

const gchar *
live_limit_get_name (LiveLimit limit)
{
  return names[limit];
}

typedef struct {
  gdouble in, sent, answered, results, out, throttled; /* a second */
  gdouble interval;                                    /* ms between two answers */
  gdouble model, round_trip, encode, decode;           /* ms; 0: not known */
  gdouble request, result;                             /* kB of one */
  gdouble received;                                    /* kB a second */
  gdouble receiving;                                   /* share of the time */
  gboolean waiting;                                    /* requests are unanswered */
  gdouble seconds;
} Figures;

static gdouble
get_count (const GstStructure *stats, const gchar *name)
{
  guint64 count = 0;

  gst_structure_get_uint64 (stats, name, &count);
  return count;
}

static gdouble
get_ms (const GstStructure *stats, const gchar *name)
{
  gdouble ms = 0;

  gst_structure_get_double (stats, name, &ms);
  return ms;
}

/* By how much it grew; a count that was reset begins at 0. */
static gdouble
get_growth (const LiveSituation *situation, const gchar *name)
{
  gdouble now = get_count (situation->now, name);
  gdouble before = situation->before ? get_count (situation->before, name) : 0;

  return now >= before ? now - before : now;
}

static gdouble
divide (gdouble a, gdouble b)
{
  return b > 0 ? a / b : 0;
}

/* Results alone, of all that was put out. */
static gdouble
get_shown (const LiveSituation *situation)
{
  return get_growth (situation, "frames-out") - get_growth (situation, "frames-passed") -
         get_growth (situation, "frames-filled");
}

static Figures
measure (const LiveSituation *situation)
{
  gdouble seconds = situation->time / (gdouble) G_TIME_SPAN_SECOND;
  gdouble answered = get_growth (situation, "answered"),
          sent = get_growth (situation, "frames-sent");

  return (Figures){ .seconds = seconds,
    .in = divide (get_growth (situation, "frames-in"), seconds),
    .sent = divide (sent, seconds),
    .answered = divide (answered, seconds),
    .results = divide (get_growth (situation, "results"), seconds),
    .out = divide (get_shown (situation), seconds),
    .throttled = divide (get_growth (situation, "dropped-throttled"), seconds),
    .interval = divide (seconds * 1000, answered),
    .model = get_ms (situation->now, "inference-last"),
    .round_trip = get_ms (situation->now, "round-trip-last"),
    .encode = get_ms (situation->now, "encode-p50"),
    .decode = get_ms (situation->now, "decode-p50"),
    .request = divide (get_growth (situation, "bytes-sent") / 1000, sent),
    .result = divide (get_growth (situation, "bytes-received") / 1000, answered),
    .received = divide (get_growth (situation, "bytes-received") / 1000, seconds),
    .receiving = divide (situation->receiving, situation->time),
    .waiting = get_count (situation->now, "in-flight") > 0 };
}

/* ---- words ---- */

/* A number as people read it, in a form that is the same in every language's settings. */
static const gchar *
number (gdouble value, gchar buffer[G_ASCII_DTOSTR_BUF_SIZE])
{
  return g_ascii_formatd (buffer, G_ASCII_DTOSTR_BUF_SIZE, value < 9.95 ? "%.1f" : "%.0f", value);
}

#define NUMBER(value) number (value, (gchar[G_ASCII_DTOSTR_BUF_SIZE]){ 0 })

static gchar *
describe_throttle (const LiveSituation *situation, const Figures *figures)
{
  g_autofree gchar *model = g_strdup_printf ("needs only %s ms", NUMBER (figures->model));

  if (figures->model == 0)
    return g_strdup_printf (
        "The throttle: requests go every %u ms, and the app does not say how long the model takes. "
        "Try whether more pictures a second come with a lower throttle interval.",
        situation->throttle);
  /* Its last answer may have been a slow one, or it works at several at once. */
  return g_strdup_printf (
      "The throttle: requests go every %u ms, and the model %s. A lower throttle "
      "interval gives more pictures a second.",
      situation->throttle,
      figures->model < situation->throttle ? model : "has answered them all in time");
}

static gchar *
describe_model (const Figures *figures)
{
  return g_strdup_printf (
      "The model: it needs %s ms for a picture, so that %s a second come back, of "
      "the camera's %s. Fewer steps or smaller pictures make it faster.",
      NUMBER (figures->model), NUMBER (figures->answered), NUMBER (figures->in));
}

static gchar *
describe_unknown_model (const Figures *figures)
{
  return g_strdup_printf (
      "The model, or the way to it: an answer takes %s ms, and the app does not say "
      "how much of that the model needs. %s pictures a second come back.",
      NUMBER (figures->round_trip), NUMBER (figures->answered));
}

static gchar *
describe_silence (const Figures *figures)
{
  return g_strdup_printf (
      "The model: it has answered nothing for %s s. One that still loads may take minutes.",
      NUMBER (figures->seconds));
}

static gchar *
describe_uplink (const Figures *figures)
{
  return g_strdup_printf (
      "The way up, or what the server does beside the model: an answer takes %s ms, of which the "
      "model needs only %s ms and the way down little. A request has %s kB: a smaller width and "
      "height, or a lower quality, make it smaller.",
      NUMBER (figures->round_trip), NUMBER (figures->model), NUMBER (figures->request));
}

static gchar *
describe_downlink (const Figures *figures)
{
  return g_strdup_printf (
      "The way down: answers of %s kB come in without a pause, %s kB a second. Ask "
      "the model for smaller pictures.",
      NUMBER (figures->result), NUMBER (figures->received));
}

static gchar *
describe_encoding (const Figures *figures)
{
  return g_strdup_printf (
      "Encoding: a picture takes this machine %s ms before it can go. A smaller "
      "width and height make that faster.",
      NUMBER (figures->encode));
}

static gchar *
describe_decoding (const Figures *figures)
{
  return g_strdup_printf (
      "Decoding: a result takes this machine %s ms, so that it shows %s a second of "
      "the %s that come back.",
      NUMBER (figures->decode), NUMBER (figures->out), NUMBER (figures->results));
}

static gchar *
describe_sink (const Figures *figures)
{
  return g_strdup_printf (
      "The sink: it takes %s pictures a second of the %s that come back; older ones "
      "give way to newer ones.",
      NUMBER (figures->out), NUMBER (figures->results));
}

static gchar *
describe_nothing (const Figures *figures)
{
  return g_strdup_printf ("Nothing: the camera's %s pictures a second all come back, %s ms later.",
      NUMBER (figures->in), NUMBER (figures->round_trip));
}

/* ---- questions ---- */

static const gchar *
find_why_offline (const LiveSituation *situation)
{
  static const struct {
    const gchar *connection, *why;
  } rows[] = {
    { "idle", "Offline: it connects with the next picture." },
    { "authenticating", "Offline: it asks for a token." },
    { "connecting", "Offline: it is connecting." },
    { "waiting", "Offline: it cannot reach the app, and tries again by itself." },
    { "failed", "Offline: it has given up. The messages say why, and what to do." },
  };

  if (!situation->network)
    return "Offline: you cut the network. Switch it on, and pictures come back by themselves.";
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (g_strcmp0 (situation->connection, rows[i].connection) == 0)
      return rows[i].why;
  return NULL;
}

/* Requests go with frames: the throttle lets the first one go that comes when its time is over. */
static gboolean
is_throttled (const LiveSituation *situation, const Figures *figures)
{
  gdouble frame = divide (1000, figures->in), least;

  if (situation->throttle == 0 || figures->throttled == 0)
    return FALSE;
  least = frame * (guint) (situation->throttle / frame + ALL);
  return divide (1000, figures->sent) <= THROTTLE_MARGIN * MAX (least, situation->throttle);
}

static gboolean
takes_most (gdouble ms, gdouble interval)
{
  return ms >= MOST * interval;
}

/* What stands between a result that came and the screen. */
static LiveLimit
find_downstream (const Figures *figures, gchar **sentence)
{
  gboolean decoding = takes_most (figures->decode, divide (1000, figures->out));

  *sentence = decoding ? describe_decoding (figures) : describe_sink (figures);
  return decoding ? LIVE_LIMIT_DECODING : LIVE_LIMIT_SINK;
}

/* What stands between a request and its answer. */
static LiveLimit
find_between (const Figures *figures, gchar **sentence)
{
  if (takes_most (figures->encode, figures->interval)) {
    *sentence = describe_encoding (figures);
    return LIVE_LIMIT_ENCODING;
  }
  if (takes_most (figures->model, figures->interval)) {
    *sentence = describe_model (figures);
    return LIVE_LIMIT_MODEL;
  }
  if (figures->receiving >= MOST) {
    *sentence = describe_downlink (figures);
    return LIVE_LIMIT_DOWNLINK;
  }
  if (figures->model == 0) {
    *sentence = describe_unknown_model (figures);
    return LIVE_LIMIT_MODEL;
  }
  if (takes_most (figures->round_trip - figures->model, figures->interval)) {
    *sentence = describe_uplink (figures);
    return LIVE_LIMIT_UPLINK;
  }
  *sentence =
      g_strdup_printf ("Nothing stands out: %s pictures a second come back, of the camera's %s.",
          NUMBER (figures->answered), NUMBER (figures->in));
  return LIVE_LIMIT_NOTHING;
}

static LiveLimit
find_connected (const LiveSituation *situation, const Figures *figures, gchar **sentence)
{
  if (situation->time == 0) {
    *sentence = g_strdup ("Nothing is known yet.");
    return LIVE_LIMIT_NOTHING;
  }
  if (figures->answered == 0 && figures->waiting) {
    *sentence = describe_silence (figures);
    return LIVE_LIMIT_MODEL;
  }
  if (figures->in == 0) {
    *sentence = g_strdup ("Nothing: the camera gives no pictures.");
    return LIVE_LIMIT_NOTHING;
  }
  if (figures->results > 0 && figures->out < SHOWN * figures->results)
    return find_downstream (figures, sentence);
  if (figures->answered >= ALL * figures->in) {
    *sentence = describe_nothing (figures);
    return LIVE_LIMIT_NOTHING;
  }
  if (is_throttled (situation, figures)) {
    *sentence = describe_throttle (situation, figures);
    return LIVE_LIMIT_THROTTLE;
  }
  if (figures->answered == 0) {
    *sentence =
        g_strdup ("The model: no request was answered with a picture. The messages say why.");
    return LIVE_LIMIT_MODEL;
  }
  return find_between (figures, sentence);
}

LiveLimit
live_limit_find (const LiveSituation *situation, gchar **sentence)
{
  const gchar *offline = find_why_offline (situation);
  Figures figures;

  if (!situation->enabled) {
    *sentence = g_strdup ("Off: the camera's pictures pass unchanged, and nothing is sent.");
    return LIVE_LIMIT_OFF;
  }
  if (offline != NULL) {
    *sentence = g_strdup (offline);
    return LIVE_LIMIT_OFFLINE;
  }
  figures = measure (situation);
  return find_connected (situation, &figures, sentence);
}
