/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules are those of GstVideoFilter and GstVideoEncoder: a meta's tags say what it depends on.
 */
#include "frame-metas.h"

#include <gst/video/gstvideometa.h>
#include <gst/video/video.h>

/* Where the frame's pixels are in the picture. */
typedef struct {
  GstBuffer *picture;
  gint width, height;
  gboolean untouched; /* the picture is the frame's own */
  FalArea from, to;   /* in pixels of the frame, and of the picture; empty: not known */
} Mapping;

/* Whether the meta is still true of a picture with other pixels. */
static gboolean
outlives_pixels (const GstMetaInfo *info)
{
  static const gchar *const lasting[] = { GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR,
    GST_META_TAG_VIDEO_ORIENTATION_STR, NULL };
  const gchar *const *tags = gst_meta_api_type_get_tags (info->api);

  for (; tags != NULL && *tags != NULL; tags++)
    if (!g_strv_contains (lasting, *tags))
      return FALSE;
  return info->transform_func != NULL;
}

static gboolean
depends_on_size (const GstMetaInfo *info)
{
  return gst_meta_api_type_has_tag (
      info->api, g_quark_from_static_string (GST_META_TAG_VIDEO_SIZE_STR));
}

static void
copy_meta (GstBuffer *from, GstMeta *meta, GstBuffer *to)
{
  GstMetaTransformCopy all = { FALSE, 0, (gsize) -1 };

  meta->info->transform_func (to, meta, from, _gst_meta_transform_copy, &all);
}

static gboolean
keep_meta (GstBuffer *frame, GstMeta **meta, gpointer user)
{
  GstBuffer **kept = user;

  /* A result that went through another element like this one is described anew. */
  if (!outlives_pixels ((*meta)->info) || (*meta)->info == gst_meta_get_info (FAL_RESULT_META))
    return TRUE;
  if (*kept == NULL)
    *kept = gst_buffer_new ();
  copy_meta (frame, *meta, *kept);
  return TRUE;
}

GstBuffer *
fal_frame_metas_keep (GstBuffer *frame)
{
  GstBuffer *kept = NULL;

  gst_buffer_foreach_meta (frame, keep_meta, &kept);
  return kept;
}

/* Where @at, a coordinate in the frame, is in the picture. */
static gint64
move (guint at, gint from, gint from_size, gint to, gint to_size)
{
  return to + ((gint64) at - from) * to_size / from_size;
}

/* @region has the size that @frame_region has in the picture already. FALSE: nothing of it is
 * within the picture. */
static gboolean
move_region (GstVideoRegionOfInterestMeta *region, const GstVideoRegionOfInterestMeta *frame_region,
    const Mapping *mapping)
{
  const FalArea *from = &mapping->from, *to = &mapping->to;
  gint64 left = move (frame_region->x, from->x, from->width, to->x, to->width);
  gint64 top = move (frame_region->y, from->y, from->height, to->y, to->height);
  gint64 right = MIN (left + region->w, mapping->width);
  gint64 bottom = MIN (top + region->h, mapping->height);

  left = MAX (left, 0);
  top = MAX (top, 0);
  if (right <= left || bottom <= top)
    return FALSE;
  region->x = left;
  region->y = top;
  region->w = right - left;
  region->h = bottom - top;
  return TRUE;
}

static gboolean
is_moved (const Mapping *mapping)
{
  return mapping->from.x != 0 || mapping->from.y != 0 || mapping->to.x != 0 || mapping->to.y != 0;
}

/* The meta that was added last, of this kind. */
static GstMeta *
find_last (GstBuffer *buffer, GType api)
{
  GstMeta *meta, *last = NULL;
  gpointer state = NULL;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state, api)))
    last = meta;
  return last;
}

static gboolean
scale_meta (GstBuffer *frame, GstMeta *meta, const Mapping *mapping)
{
  GstVideoInfo from, to;
  GstVideoMetaTransform scale = { &from, &to };

  gst_video_info_set_format (
      &from, GST_VIDEO_FORMAT_GRAY8, mapping->from.width, mapping->from.height);
  gst_video_info_set_format (&to, GST_VIDEO_FORMAT_GRAY8, mapping->to.width, mapping->to.height);
  return meta->info->transform_func (
      mapping->picture, meta, frame, gst_video_meta_transform_scale_get_quark (), &scale);
}

/* Of kinds of metas that a plugin brings nobody knows how they are moved: they are scaled only. */
static void
map_meta (GstBuffer *frame, GstMeta *meta, const Mapping *mapping)
{
  gboolean is_region = meta->info->api == GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE;
  GstMeta *region;

  if (is_moved (mapping) && !is_region)
    return;
  if (!scale_meta (frame, meta, mapping) || !is_region)
    return;
  region = find_last (mapping->picture, meta->info->api);
  if (region != NULL && !move_region ((GstVideoRegionOfInterestMeta *) region,
                            (GstVideoRegionOfInterestMeta *) meta, mapping))
    gst_buffer_remove_meta (mapping->picture, region);
}

static gboolean
attach_meta (GstBuffer *frame, GstMeta **meta, gpointer user)
{
  const Mapping *mapping = user;

  if (!outlives_pixels ((*meta)->info))
    return TRUE;
  if (!depends_on_size ((*meta)->info) || mapping->untouched)
    copy_meta (frame, *meta, mapping->picture);
  else if (mapping->from.width > 0 && mapping->from.height > 0 && mapping->to.width > 0 &&
           mapping->to.height > 0)
    map_meta (frame, *meta, mapping);
  return TRUE;
}

static gint
scale (gint length, gint to, gint from)
{
  return gst_util_uint64_scale_int_round (MAX (length, 0), to, from);
}

void
fal_frame_metas_attach (
    GstBuffer *picture, gint width, gint height, GstBuffer *frame, const FalLayout *layout)
{
  Mapping mapping = { picture, width, height, layout->width == 0, layout->from };

  if (layout->width > 0 && layout->height > 0)
    mapping.to = (FalArea){ scale (layout->to.x, width, layout->width),
      scale (layout->to.y, height, layout->height), scale (layout->to.width, width, layout->width),
      scale (layout->to.height, height, layout->height) };
  gst_buffer_foreach_meta (frame, attach_meta, &mapping);
}

/* Coordinates are unsigned, and so begin anew below 0. */
static FalArea
get_area (const GstVideoRegionOfInterestMeta *region)
{
  return (FalArea) { region->x, region->y, MIN (region->w, G_MAXINT), MIN (region->h, G_MAXINT) };
}

GArray *
fal_frame_metas_find_regions (GstBuffer *frame, const gchar *type)
{
  GQuark wanted = type ? g_quark_try_string (type) : 0;
  GArray *areas = NULL;
  gpointer state = NULL;
  GstMeta *meta;

  if (type != NULL && wanted == 0) /* no region of this process has this type */
    return NULL;
  while ((meta = gst_buffer_iterate_meta_filtered (
              frame, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))) {
    const GstVideoRegionOfInterestMeta *region = (const GstVideoRegionOfInterestMeta *) meta;
    FalArea area = get_area (region);

    if (wanted != 0 && region->roi_type != wanted)
      continue;
    if (areas == NULL)
      areas = g_array_new (FALSE, FALSE, sizeof (FalArea));
    g_array_append_val (areas, area);
  }
  return areas;
}
