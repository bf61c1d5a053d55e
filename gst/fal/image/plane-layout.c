/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what libgstvideo says of a format. */
#include "plane-layout.h"

static gboolean
is_regular (const GstVideoFormatInfo *format)
{
  guint depth = GST_VIDEO_FORMAT_INFO_DEPTH (format, 0);
  gboolean little = GST_VIDEO_FORMAT_INFO_IS_LE (format);

  if (GST_VIDEO_FORMAT_INFO_IS_COMPLEX (format) || GST_VIDEO_FORMAT_INFO_IS_TILED (format) ||
      GST_VIDEO_FORMAT_INFO_HAS_PALETTE (format) || depth < 8 || depth > 16)
    return FALSE;
  /* GStreamer 1.22 describes VYUY as if it were UYVY. */
  if (GST_VIDEO_FORMAT_INFO_FORMAT (format) == GST_VIDEO_FORMAT_VYUY)
    return FALSE;
  if (depth > 8 && little != (G_BYTE_ORDER == G_LITTLE_ENDIAN))
    return FALSE;
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); i++) {
    if (GST_VIDEO_FORMAT_INFO_DEPTH (format, i) != depth ||
        GST_VIDEO_FORMAT_INFO_SHIFT (format, i) != GST_VIDEO_FORMAT_INFO_SHIFT (format, 0) ||
        GST_VIDEO_FORMAT_INFO_PSTRIDE (format, i) < (depth > 8 ? 2 : 1))
      return FALSE;
  }
  return TRUE;
}

static guint
step_of (const FalPlaneLayout *layout, const GstVideoFormatInfo *format, guint component)
{
  return GST_VIDEO_FORMAT_INFO_PSTRIDE (format, component) / (layout->wide ? 2 : 1);
}

/* GStreamer 1.22 says of V in P010 that it begins at byte 1, which is word 1. */
static guint
offset_of (const FalPlaneLayout *layout, const GstVideoFormatInfo *format, guint component)
{
  guint offset = GST_VIDEO_FORMAT_INFO_POFFSET (format, component);

  return layout->wide && offset % 2 == 0 ? offset / 2 : offset;
}

/* @step: of the component that has the most samples in the plane. FALSE: no place for it. */
static gboolean
put_component (const FalPlaneLayout *layout, FalPlane *plane, const GstVideoFormatInfo *format,
    guint component)
{
  guint at = offset_of (layout, format, component);
  guint step = step_of (layout, format, component);

  if (step == plane->step && at < 4 && plane->component[at] < 0) {
    plane->component[at] = component;
    return TRUE;
  }
  if (plane->step != 2 || step != 4 || at > 3)
    return FALSE;
  plane->dense = TRUE;
  if (at < 2)
    plane->component[at] = component;
  else
    plane->alternate = component;
  return TRUE;
}

static gboolean
fill_plane (
    const FalPlaneLayout *layout, FalPlane *plane, const GstVideoFormatInfo *format, guint index)
{
  *plane = (FalPlane) { G_MAXUINT, { -1, -1, -1, -1 }, FALSE, -1, G_MAXUINT, G_MAXUINT };
  for (guint i = 0; i < layout->n_components; i++) {
    if (GST_VIDEO_FORMAT_INFO_PLANE (format, i) != index)
      continue;
    plane->step = MIN (plane->step, step_of (layout, format, i));
    plane->w_sub = MIN (plane->w_sub, GST_VIDEO_FORMAT_INFO_W_SUB (format, i));
    plane->h_sub = MIN (plane->h_sub, GST_VIDEO_FORMAT_INFO_H_SUB (format, i));
  }
  if (plane->step > 4)
    return FALSE;
  for (guint i = 0; i < layout->n_components; i++) {
    if (GST_VIDEO_FORMAT_INFO_PLANE (format, i) == index &&
        !put_component (layout, plane, format, i))
      return FALSE;
  }
  return TRUE;
}

gboolean
fal_plane_layout_init (FalPlaneLayout *layout, const GstVideoFormatInfo *format)
{
  *layout = (FalPlaneLayout) { GST_VIDEO_FORMAT_INFO_N_PLANES (format),
    GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format) };
  layout->alpha = -1;
  if (layout->n_planes < 1 || layout->n_planes > 4 || layout->n_components < 1 ||
      layout->n_components > 4 || !is_regular (format))
    return FALSE;
  layout->depth = GST_VIDEO_FORMAT_INFO_DEPTH (format, 0);
  layout->shift = GST_VIDEO_FORMAT_INFO_SHIFT (format, 0);
  layout->wide = layout->depth > 8;
  for (guint i = 0; i < layout->n_components; i++) {
    layout->w_sub = MAX (layout->w_sub, GST_VIDEO_FORMAT_INFO_W_SUB (format, i));
    layout->h_sub = MAX (layout->h_sub, GST_VIDEO_FORMAT_INFO_H_SUB (format, i));
  }
  if (GST_VIDEO_FORMAT_INFO_HAS_ALPHA (format))
    layout->alpha = layout->n_components - 1;
  for (guint i = 0; i < layout->n_planes; i++) {
    if (!fill_plane (layout, &layout->planes[i], format, i))
      return FALSE;
  }
  return TRUE;
}

gboolean
fal_plane_layout_is_subsampled (const FalPlaneLayout *layout, guint component)
{
  return (layout->w_sub != 0 || layout->h_sub != 0) && (component == 1 || component == 2);
}

FalSamplePlace
fal_plane_layout_find (const FalPlaneLayout *layout, guint component)
{
  FalSamplePlace place = { 0, 0, 1 };

  for (guint i = 0; i < layout->n_planes; i++) {
    const FalPlane *plane = &layout->planes[i];

    for (guint at = 0; at < plane->step; at++) {
      if (plane->component[at] == (gint) component)
        place = (FalSamplePlace) { i, at, plane->dense && component > 0 ? 4 : plane->step };
      else if (plane->alternate == (gint) component && plane->component[at] > 0)
        place = (FalSamplePlace) { i, at + 2, 4 };
    }
  }
  return place;
}

static gint
subsample (gint size, guint shift)
{
  return (size + (1 << shift) - 1) >> shift;
}

/* The elements up to the last one that is a sample: a row may end there. */
gint
fal_plane_layout_get_row (const FalPlaneLayout *layout, guint plane, gint width)
{
  const FalPlane *p = &layout->planes[plane];
  gint samples = subsample (width, p->w_sub);

  if (p->dense) /* each pair of pixels has both of the subsampled components */
    return 4 * subsample (width, 1) - (p->component[0] == 0 ? 0 : samples % 2);
  return samples * (gint) p->step;
}

gint
fal_plane_layout_get_rows (const FalPlaneLayout *layout, guint plane, gint height)
{
  return subsample (height, layout->planes[plane].h_sub);
}
