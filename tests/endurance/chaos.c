/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chaos.h"

#define ODDS 0.01 /* of a trouble, for a frame */
/* How long a trouble stays, µs. Requests run out after two seconds, and connections are dead later.
 */
#define SHORTEST (50 * G_TIME_SPAN_MILLISECOND)
#define LONGEST (3 * G_TIME_SPAN_SECOND)

typedef enum { SERVER, PROPERTY, ACTION, STATE, SEEK } TroubleKind;

static const gchar *const kind_names[] = { "server", "property", "action", "state", "seek" };

/* A property has its own value again afterwards, a state is followed by PLAYING, and of a server
 * nothing is left. */
typedef struct {
  TroubleKind kind;
  const gchar *name, *value;
} Trouble;

static const Trouble troubles[] = {
  { SERVER, "delay", "400" },
  { SERVER, "delay", "2500" },
  { SERVER, "mute", "1" },
  { SERVER, "refuse", "500" },
  { SERVER, "refuse", "503" },
  { SERVER, "refuse", "429" },
  { SERVER, "broken", "1" },
  { SERVER, "error", "0" },
  { SERVER, "close", "1000" },
  { SERVER, "close", "1011" },
  { SERVER, "close", "1012" },
  { SERVER, "close", "0" },
  { SERVER, "round-trip", "200" },
  { SERVER, "stall", "1" },
  { SERVER, "cut", "0" },
  { SERVER, "cut", "1" },
  { PROPERTY, "prompt", "a cat" },
  { PROPERTY, "parameters", "p,a=1,b=2" },
  { PROPERTY, "seed", "7" },
  { PROPERTY, "quality", "30" },
  { PROPERTY, "width", "96" },
  { PROPERTY, "height", "64" },
  { PROPERTY, "fit", "letterbox" },
  { PROPERTY, "enabled", "false" },
  { PROPERTY, "throttle-interval", "100" },
  { PROPERTY, "max-in-flight", "1" },
  { PROPERTY, "request-timeout", "60" },
  { PROPERTY, "fallback", "black" },
  { PROPERTY, "fallback", "passthrough" },
  { PROPERTY, "fallback", "last" },
  { PROPERTY, "change-threshold", "3" },
  { PROPERTY, "region", "8,8,64,64" },
  { PROPERTY, "latency", "200" },
  { ACTION, "reconnect", NULL },
  { ACTION, "clear", NULL },
  { ACTION, "close", NULL },
  { STATE, "paused", NULL },
  { STATE, "ready", NULL },
  { STATE, "null", NULL },
  { SEEK, "to-the-beginning", NULL },
};

struct _Chaos {
  SoakStream *stream;
  TroubledServers *servers;
  guint server;
  GRand *rand;
  const Trouble *trouble; /* now; NULL: none */
  gint64 until;           /* µs */
  GValue own;             /* of a PROPERTY */
  guint n;
};

/* ---- one trouble ---- */

static GstState
parse_state (const gchar *name)
{
  return g_str_equal (name, "paused")  ? GST_STATE_PAUSED
         : g_str_equal (name, "ready") ? GST_STATE_READY
                                       : GST_STATE_NULL;
}

static void
set_property (Chaos *chaos, const Trouble *trouble)
{
  GObject *filter = G_OBJECT (soak_stream_get_filter (chaos->stream));
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (filter), trouble->name);

  g_value_init (&chaos->own, spec->value_type);
  g_object_get_property (filter, trouble->name, &chaos->own);
  gst_util_set_object_arg (filter, trouble->name, trouble->value);
}

static void
restore_property (Chaos *chaos, const Trouble *trouble)
{
  g_object_set_property (
      G_OBJECT (soak_stream_get_filter (chaos->stream)), trouble->name, &chaos->own);
  g_value_unset (&chaos->own);
}

/* Who looks for the cause of a failure wants to know what was before. */
static void
tell (Chaos *chaos, const Trouble *trouble)
{
  g_print ("%.3f %s: %s %s %s\n", g_get_monotonic_time () / 1e6,
      soak_stream_get_name (chaos->stream), kind_names[trouble->kind], trouble->name,
      trouble->value ? trouble->value : "");
}

static void
begin (Chaos *chaos, const Trouble *trouble)
{
  tell (chaos, trouble);
  switch (trouble->kind) {
  case SERVER:
    troubled_servers_tell (chaos->servers, chaos->server, trouble->name, trouble->value);
    break;
  case PROPERTY:
    set_property (chaos, trouble);
    break;
  case ACTION:
    g_signal_emit_by_name (soak_stream_get_filter (chaos->stream), trouble->name);
    break;
  case STATE:
    soak_stream_set_state (chaos->stream, parse_state (trouble->name));
    break;
  case SEEK:
    soak_stream_seek (chaos->stream);
    break;
  }
}

static void
end (Chaos *chaos, const Trouble *trouble)
{
  switch (trouble->kind) {
  case SERVER:
    troubled_servers_tell (chaos->servers, chaos->server, "calm", "0");
    break;
  case PROPERTY:
    restore_property (chaos, trouble);
    break;
  case STATE:
    soak_stream_set_state (chaos->stream, GST_STATE_PLAYING);
    break;
  default:
    break;
  }
}

/* ---- life ---- */

Chaos *
chaos_new (SoakStream *stream, TroubledServers *servers, guint server, guint32 seed)
{
  Chaos *chaos = g_new0 (Chaos, 1);

  chaos->stream = stream;
  chaos->servers = servers;
  chaos->server = server;
  chaos->rand = g_rand_new_with_seed (seed);
  return chaos;
}

void
chaos_free (Chaos *chaos)
{
  if (chaos->trouble)
    end (chaos, chaos->trouble);
  g_rand_free (chaos->rand);
  g_free (chaos);
}

void
chaos_go_on (Chaos *chaos, guint64 frames)
{
  gint64 now = g_get_monotonic_time ();

  if (chaos->trouble && now >= chaos->until) {
    end (chaos, chaos->trouble);
    chaos->trouble = NULL;
  }
  for (; frames > 0 && !chaos->trouble; frames--)
    if (g_rand_double (chaos->rand) < ODDS) {
      chaos->trouble = &troubles[g_rand_int_range (chaos->rand, 0, G_N_ELEMENTS (troubles))];
      chaos->until = now + g_rand_int_range (chaos->rand, SHORTEST, LONGEST);
      chaos->n++;
      begin (chaos, chaos->trouble);
    }
}

/* Rows that differ in their value alone are next to each other. */
void
chaos_list (void)
{
  const Trouble *last = NULL;

  for (const Trouble *t = troubles; t < troubles + G_N_ELEMENTS (troubles); last = t++)
    if (last == NULL || last->kind != t->kind || !g_str_equal (last->name, t->name))
      g_print ("/soak/%s/%s\n", kind_names[t->kind], t->name);
}

guint
chaos_get_troubles (Chaos *chaos)
{
  return chaos->n;
}
