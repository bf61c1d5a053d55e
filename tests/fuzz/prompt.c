/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer target: a text track. The first byte says what the rest is: the text of a cue, with
 * markup (1) or without (0), whose inputs must be such that a request can have them; or what
 * happens to the list of cues (2), which is compared with one that keeps an entry for each moment.
 */
#include "fal/policy/cue-list.h"
#include "fal/wire/cue.h"
#include "fal/wire/value-json.h"
#include "fal/wire/value-msgpack.h"
#include "fal/wire/visible-text.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* ---- the text of a cue ---- */

#define BUDGET 100

/* What stands in a request is read by the server as it stands here. */
static void
check_inputs (GstStructure *inputs, FalNames *names)
{
  g_autofree gchar *json = fal_value_to_json (inputs, NULL);
  g_autofree gchar *rewritten = NULL;
  g_autoptr (GBytes) packed = fal_value_to_msgpack (inputs, NULL);
  g_autoptr (GstStructure) again = NULL;

  g_assert_nonnull (packed);
  g_assert_nonnull (json);
  g_assert_true (g_utf8_validate (json, -1, NULL));
  again = fal_value_from_json_of_peer (json, -1, names, NULL);
  g_assert_nonnull (again);
  rewritten = fal_value_to_json (again, NULL);
  g_assert_cmpstr (rewritten, ==, json);
}

static void
parse (const gchar *text, gsize size, gboolean markup)
{
  static FalNames *names;
  g_autoptr (GError) error = NULL;
  g_autoptr (GstStructure) inputs = NULL;

  if (names == NULL)
    names = fal_names_new (BUDGET);
  inputs = fal_cue_parse (text, size, markup, names, &error);
  g_assert_true ((inputs == NULL) == (error != NULL));
  if (inputs != NULL)
    check_inputs (inputs, names);
  else
    g_assert_true (fal_text_is_visible (error->message));
}

/* ---- the list of cues ---- */

#define MOMENTS 64 /* times are below; what reaches this far has no end */

/* Which cue holds at each moment; 0: none does. */
typedef struct {
  guint cues[MOMENTS];
  GstClockTime known;
  GstClockTime frame;
} Model;

static void
model_cut (Model *model, GstClockTime time)
{
  for (GstClockTime t = time; t < MOMENTS; t++)
    model->cues[t] = 0;
}

static void
model_add (Model *model, GstClockTime start, GstClockTime end, guint cue)
{
  start = GST_CLOCK_TIME_IS_VALID (start) ? MAX (start, model->known) : model->known;
  if (start >= end)
    return;
  model_cut (model, start);
  for (GstClockTime t = start; t < MIN (end, MOMENTS); t++)
    model->cues[t] = cue;
  model->known = GST_CLOCK_TIME_IS_VALID (end) ? end : start + 1;
}

/* A cue that is over by the frame of time @frame is forgotten. */
static void
model_forget (Model *model, GstClockTime frame)
{
  for (GstClockTime t = MIN (frame, MOMENTS); t > 0; t--)
    if (frame >= MOMENTS || model->cues[t - 1] != model->cues[frame])
      model->cues[t - 1] = 0;
}

static guint
model_find (Model *model, GstClockTime time)
{
  if (GST_CLOCK_TIME_IS_VALID (time))
    model->frame = time;
  model_forget (model, model->frame);
  return model->cues[model->frame];
}

static guint
find (FalCueList *list, GstClockTime time)
{
  const GstStructure *inputs = fal_cue_list_find (list, time);
  guint cue = 0;

  if (inputs != NULL)
    gst_structure_get_uint (inputs, "cue", &cue);
  return cue;
}

/* The highest moment stands for none. */
static GstClockTime
read_time (guint8 byte)
{
  return byte % MOMENTS == MOMENTS - 1 ? GST_CLOCK_TIME_NONE : byte % MOMENTS;
}

static void
do_step (FalCueList *list, Model *model, guint number, const guint8 step[3])
{
  GstClockTime time = read_time (step[1]), end = read_time (step[2]);

  switch (step[0] % 5) {
  case 0:
    if (fal_cue_list_is_full (list))
      return;
    fal_cue_list_add (list, time, end, gst_structure_new ("map", "cue", G_TYPE_UINT, number, NULL));
    model_add (model, time, end, number);
    break;
  case 1:
    fal_cue_list_advance (list, time);
    model->known = MAX (model->known, time);
    break;
  case 2:
    if (!GST_CLOCK_TIME_IS_VALID (time))
      return;
    fal_cue_list_begin (list, time);
    model_cut (model, time);
    model->known = time;
    break;
  case 3:
    fal_cue_list_clear (list);
    model_cut (model, 0);
    model->known = 0;
    break;
  default:
    g_assert_cmpint (fal_cue_list_knows (list, time), ==,
        !GST_CLOCK_TIME_IS_VALID (time) || time < model->known);
    g_assert_cmpuint (find (list, time), ==, model_find (model, time));
  }
}

static void
follow (const guint8 *steps, gsize size)
{
  g_autoptr (FalCueList) list = fal_cue_list_new ();
  Model model = { 0 };

  for (gsize i = 0; i + 3 <= size; i += 3)
    do_step (list, &model, i / 3 + 1, steps + i);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  if (size == 0)
    return 0;
  if (data[0] % 3 == 2)
    follow (data + 1, size - 1);
  else
    parse ((const gchar *) data + 1, size - 1, data[0] % 3);
  return 0;
}
