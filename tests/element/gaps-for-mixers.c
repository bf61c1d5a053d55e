/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the model falls silent, those that wait for all their inputs are told not to. */
#include "pipeline-fixture.h"

#define CAPS "video/x-raw,width=64,height=64,framerate=30/1"
#define LIVE "videotestsrc is-live=true ! " CAPS
/* Not live, but no faster than time goes. */
#define PACED "videotestsrc ! " CAPS " ! identity sleep-time=33333"
#define AUDIO                                                                                      \
  "audiotestsrc is-live=true samplesperbuffer=80 ! audio/x-raw,format=S16LE,channels=1,rate=8000"
#define SINK "fakesink sync=false async=false  "
/* The output must have gone on by so much. */
#define WAY (2 * GST_SECOND)

typedef struct {
  const gchar *name, *before, *properties;
  const gchar *after; /* what waits for all is called "mix" */
} Mix;

/* The muxers of GStreamer 1.22 do not listen to gaps, and encoders keep them until their next
 * frame: behind those something must be shown. */
static const Mix mixes[] = {
  { "compositor", PACED, "leaky=downstream",
      "queue ! compositor name=mix ! " SINK PACED " ! queue ! mix." },
  { "live-compositor", LIVE, "", "queue ! compositor name=mix ! " SINK LIVE " ! queue ! mix." },
  { "muxer", LIVE, "latency=100 fallback=last",
      "videoconvert ! video/x-raw,format=I420 ! queue ! matroskamux name=mix ! " SINK AUDIO
      " ! queue ! mix." },
  { "encoder-and-muxer", LIVE, "latency=100 fallback=last",
      "videoconvert ! vp8enc deadline=1 ! queue ! webmmux name=mix ! " SINK AUDIO
      " ! audioconvert ! vorbisenc ! queue ! mix." },
};

typedef struct {
  GMutex lock;
  GstClockTime newest; /* lock; of what came out of the mix */
} Progress;

static GstPadProbeReturn
note_progress (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Progress *progress = data;
  GstClockTime time = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));

  g_mutex_lock (&progress->lock);
  if (GST_CLOCK_TIME_IS_VALID (time))
    progress->newest = MAX (progress->newest, time);
  g_mutex_unlock (&progress->lock);
  return GST_PAD_PROBE_OK;
}

static GstClockTime
get_newest (Progress *progress)
{
  GstClockTime newest;

  g_mutex_lock (&progress->lock);
  newest = progress->newest;
  g_mutex_unlock (&progress->lock);
  return newest;
}

static void
wait_for_progress (GstElement *filter, Progress *progress, GstClockTime time)
{
  WAIT_UNTIL (filter, get_newest (progress) >= time);
}

static void
test_mix (gconstpointer data)
{
  const Mix *mix = data;
  g_autoptr (Pipeline) p = pipeline_new (NULL, mix->before, mix->properties, mix->after);
  Progress progress = { .newest = 0 };

  pipeline_add_probe (p, "mix", note_progress, &progress);
  gst_element_set_state (p->pipeline, GST_STATE_PLAYING);
  wait_for_progress (p->filter, &progress, GST_SECOND / 2);
  fal_server_set_mute (p->server, TRUE);
  wait_for_progress (p->filter, &progress, get_newest (&progress) + WAY);
  fal_server_set_mute (p->server, FALSE);
  gst_element_send_event (p->pipeline, gst_event_new_eos ());
  pipeline_wait_for_end (p);
  gst_element_set_state (p->pipeline, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (mixes); i++) {
    g_autofree gchar *path = g_strdup_printf ("/gaps-for-mixers/%s", mixes[i].name);

    g_test_add_data_func (path, &mixes[i], test_mix);
  }
  return fixture_run ();
}
