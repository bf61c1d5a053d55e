/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The result is thought of as the picture that was sent, in another size: what was at a place of
 * that picture is at the same place of the result. */
#include "placement.h"

#include <math.h>

#define MAX_ROUNDING 16 /* pixels by which models round a side */

/* Where the picture that was sent is in the result, in pixels of the result. */
typedef struct {
  gdouble x, y, width, height;
} Place;

static gboolean
is_off_by_rounding (gdouble side, gdouble wanted)
{
  return fabs (side - wanted) <= MIN (MAX_ROUNDING, wanted / 24);
}

static Place
find_sent (gint width, gint height, gint sent_width, gint sent_height, FalFit fit)
{
  gdouble across = (gdouble) width / sent_width, down = (gdouble) height / sent_height;
  gdouble scale = fit == FAL_FIT_CROP ? MIN (across, down) : MAX (across, down);
  Place place = { 0, 0, width, height };

  if (fit == FAL_FIT_STRETCH || is_off_by_rounding (width, sent_width * down) ||
      is_off_by_rounding (height, sent_height * across))
    return place;
  place.width = sent_width * scale;
  place.height = sent_height * scale;
  place.x = (width - place.width) / 2;
  place.y = (height - place.height) / 2;
  return place;
}

/* One axis: @begin and @length of the part, cut off where the result, which has @size pixels, ends;
 * @at and @extent of the area shrink as much. */
static void
cut (gdouble *begin, gdouble *length, gint *at, gint *extent, gint size)
{
  gdouble end = *begin + *length, first = MAX (*begin, 0), last = MIN (end, size);
  gdouble scale = *extent / *length;
  gint left = lround ((first - *begin) * scale), right = lround ((end - last) * scale);

  if (left == 0 && right == 0)
    return;
  left = CLAMP (left, 0, *extent - 1);
  *at += left;
  *extent = MAX (*extent - left - MAX (right, 0), 1);
  *begin = first;
  *length = MAX (last - first, 1);
}

void
fal_placement_find (FalPlacement *placement, gint width, gint height, const FalLayout *layout,
    const FalArea *region, FalFit fit)
{
  gboolean known =
      layout->width > 0 && layout->height > 0 && layout->to.width > 0 && layout->to.height > 0;
  gint sent_width = known ? layout->width : region->width;
  gint sent_height = known ? layout->height : region->height;
  FalArea to = known ? layout->to : (FalArea) { 0, 0, sent_width, sent_height };
  Place sent = find_sent (width, height, sent_width, sent_height, fit);

  placement->x = sent.x + to.x * sent.width / sent_width;
  placement->y = sent.y + to.y * sent.height / sent_height;
  placement->width = to.width * sent.width / sent_width;
  placement->height = to.height * sent.height / sent_height;
  placement->area = *region;
  cut (&placement->x, &placement->width, &placement->area.x, &placement->area.width, width);
  cut (&placement->y, &placement->height, &placement->area.y, &placement->area.height, height);
}
