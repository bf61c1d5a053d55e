/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An input of the model follows a curve: "strength", how far the model departs from the camera's
 * picture, rises from 0.2 to 0.9 within five seconds, and stays there. */
#include "player.h"
#include <gst/controller/controller.h>

/* GStreamer's controllers set a property to the value that a curve has at the time of each frame
 * that is sent. "seed", "num-inference-steps", "guidance-scale" and "quality" can follow one,
 * too. */
static void
let_strength_rise (GstElement *fal)
{
  GstControlSource *curve = gst_interpolation_control_source_new ();
  GstTimedValueControlSource *points = GST_TIMED_VALUE_CONTROL_SOURCE (curve);

  g_object_set (curve, "mode", GST_INTERPOLATION_MODE_LINEAR, NULL);
  gst_timed_value_control_source_set (points, 0, 0.2);
  gst_timed_value_control_source_set (points, 5 * GST_SECOND, 0.9);
  /* "absolute": the curve's values are the property's own; else 0 to 1 would stand for all that the
   * property can be. */
  gst_object_add_control_binding (GST_OBJECT (fal),
      gst_direct_control_binding_new_absolute (GST_OBJECT (fal), "strength", curve));
  gst_object_unref (curve);
}

int
main (int argc, char **argv)
{
  GstElement *pipeline =
      player_new_pipeline (argc, argv, "Lets the strength rise for five seconds.", NULL);
  g_autoptr (GstElement) fal = NULL;

  if (pipeline == NULL)
    return 2;
  fal = gst_bin_get_by_name (GST_BIN (pipeline), "fal");
  let_strength_rise (fal);
  return player_run (pipeline);
}
