/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decodes pictures to buffers. The choice of caps, the pool and the converter are kept while
 * pictures are of the same kind and size. Used by the source pad's task alone. */
#include "decoder.h"
#include "frame-pool.h"
#include "image-file.h"
#include "video-frame.h"

#include <gio/gio.h>
#include <string.h>

/* How much of the allowed caps goes into an error message, in bytes. */
#define CAPS_IN_MESSAGE 200

struct _FalDecoder {
  GstCaps *caps;           /* chosen for the next two; NULL: nothing was chosen yet */
  FalDecoderConfig config; /* with a reference to its caps */
  FalImageFileInfo picture;
  gint par_n, par_d; /* that gives the picture its shape */

  gboolean is_raw; /* else the picture stays encoded, and what follows is not set */
  GstVideoInfo info;
  FalFramePool *pool;
  GstVideoConverter *converter; /* from @decoded to @info; NULL: decoded into the buffer itself */
  GstVideoFrame decoded;
};

FalDecoder *
fal_decoder_new (void)
{
  return g_new0 (FalDecoder, 1);
}

static void
decoder_reset (FalDecoder *decoder)
{
  gst_clear_caps (&decoder->caps);
  gst_clear_caps (&decoder->config.allowed);
  g_clear_pointer (&decoder->converter, gst_video_converter_free);
  fal_video_frame_clear (&decoder->decoded);
  g_clear_pointer (&decoder->pool, fal_frame_pool_free);
}

void
fal_decoder_free (FalDecoder *decoder)
{
  decoder_reset (decoder);
  g_free (decoder);
}

/* Best first: what decoders write, then what 8-bit video usually is. */
static const GstVideoFormat preferred[] = {
  GST_VIDEO_FORMAT_RGBx,
  GST_VIDEO_FORMAT_BGRx,
  GST_VIDEO_FORMAT_xRGB,
  GST_VIDEO_FORMAT_xBGR,
  GST_VIDEO_FORMAT_RGBA,
  GST_VIDEO_FORMAT_BGRA,
  GST_VIDEO_FORMAT_ARGB,
  GST_VIDEO_FORMAT_ABGR,
  GST_VIDEO_FORMAT_RGB,
  GST_VIDEO_FORMAT_BGR,
  GST_VIDEO_FORMAT_I420,
  GST_VIDEO_FORMAT_YV12,
  GST_VIDEO_FORMAT_NV12,
  GST_VIDEO_FORMAT_NV21,
  GST_VIDEO_FORMAT_Y42B,
  GST_VIDEO_FORMAT_YUY2,
  GST_VIDEO_FORMAT_UYVY,
  GST_VIDEO_FORMAT_YVYU,
  GST_VIDEO_FORMAT_Y444,
  GST_VIDEO_FORMAT_AYUV,
};

/* 0 is best: the preferred formats in their order, then others with colour, then grey. */
static guint
format_rank (const GstVideoFormatInfo *format)
{
  for (guint i = 0; i < G_N_ELEMENTS (preferred); i++) {
    if (preferred[i] == GST_VIDEO_FORMAT_INFO_FORMAT (format))
      return i;
  }
  return G_N_ELEMENTS (preferred) + (GST_VIDEO_FORMAT_INFO_IS_GRAY (format) ? 1 : 0);
}

/* What a picture is best shown in. */
typedef enum {
  COLOUR,
  ALPHA, /* with it, before all without */
  GREY,  /* in 8 bits, before all others */
} Preference;

static gboolean
is_preferred (const GstVideoFormatInfo *format, Preference preference)
{
  if (preference == GREY)
    return GST_VIDEO_FORMAT_INFO_FORMAT (format) == GST_VIDEO_FORMAT_GRAY8;
  return preference == ALPHA && GST_VIDEO_FORMAT_INFO_HAS_ALPHA (format);
}

/* @user_data: a Preference. */
static gint
compare_formats (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const GstVideoFormatInfo *one = *(const GstVideoFormatInfo **) a;
  const GstVideoFormatInfo *other = *(const GstVideoFormatInfo **) b;
  Preference preference = GPOINTER_TO_INT (user_data);
  gint better = is_preferred (other, preference) - is_preferred (one, preference);

  return better != 0 ? better : (gint) format_rank (one) - (gint) format_rank (other);
}

/* All formats that the converter writes, as GstVideoFormatInfo. */
static GPtrArray *
list_formats (Preference preference)
{
  g_autoptr (GPtrArray) formats = g_ptr_array_new ();
  guint count;
  const GstVideoFormat *raw = gst_video_formats_raw (&count);

  for (guint i = 0; i < count; i++) {
    const GstVideoFormatInfo *format = gst_video_format_get_info (raw[i]);

    if (format != NULL && format->pack_func != NULL)
      g_ptr_array_add (formats, (gpointer) format);
  }
  /* A merge sort: what ranks the same keeps GStreamer's order of quality. */
  g_ptr_array_sort_with_data (formats, compare_formats, GINT_TO_POINTER (preference));
  return g_steal_pointer (&formats);
}

static void
append_format_name (GValue *list, const GstVideoFormatInfo *format)
{
  GValue name = G_VALUE_INIT;

  g_value_init (&name, G_TYPE_STRING);
  g_value_set_static_string (&name, GST_VIDEO_FORMAT_INFO_NAME (format));
  gst_value_list_append_and_take_value (list, &name);
}

GstCaps *
fal_decoder_get_caps (void)
{
  g_autoptr (GPtrArray) formats = list_formats (COLOUR);
  GstCaps *caps = gst_caps_new_empty_simple ("video/x-raw");
  GValue names = G_VALUE_INIT;

  g_value_init (&names, GST_TYPE_LIST);
  for (guint i = 0; i < formats->len; i++)
    append_format_name (&names, g_ptr_array_index (formats, i));
  gst_caps_set_value (caps, "format", &names);
  g_value_unset (&names);

  for (guint type = FAL_IMAGE_FILE_JPEG; type <= FAL_IMAGE_FILE_WEBP; type++)
    gst_caps_append_structure (
        caps, gst_structure_new_empty (fal_image_file_get_media_type (type)));
  gst_caps_set_simple (caps, "width", GST_TYPE_INT_RANGE, 1, G_MAXINT, "height", GST_TYPE_INT_RANGE,
      1, G_MAXINT, "framerate", GST_TYPE_FRACTION_RANGE, 0, 1, G_MAXINT, 1, NULL);
  return caps;
}

/* One structure per format: the order is ours, not that of what is allowed. */
static GstCaps *
raw_candidates (const FalImageFileInfo *picture, gboolean matte)
{
  g_autoptr (GPtrArray) formats =
      list_formats (picture->has_alpha ? ALPHA : (matte ? GREY : COLOUR));
  GstCaps *caps = gst_caps_new_empty ();

  for (guint i = 0; i < formats->len; i++) {
    const GstVideoFormatInfo *format = g_ptr_array_index (formats, i);

    gst_caps_append_structure (caps, gst_structure_new ("video/x-raw", "format", G_TYPE_STRING,
                                         GST_VIDEO_FORMAT_INFO_NAME (format), "interlace-mode",
                                         G_TYPE_STRING, "progressive", NULL));
  }
  return caps;
}

/* What of @candidates is allowed for the picture with or without its shape and its rate. */
static GstCaps *
intersect (const FalDecoder *decoder, GstCaps *candidates, gboolean shaped, gboolean timed)
{
  const FalDecoderConfig *config = &decoder->config;
  g_autoptr (GstCaps) wanted = gst_caps_copy (candidates);

  gst_caps_set_simple (wanted, "width", G_TYPE_INT, decoder->picture.width, "height", G_TYPE_INT,
      decoder->picture.height, NULL);
  if (shaped)
    gst_caps_set_simple (
        wanted, "pixel-aspect-ratio", GST_TYPE_FRACTION, decoder->par_n, decoder->par_d, NULL);
  if (timed)
    gst_caps_set_simple (
        wanted, "framerate", GST_TYPE_FRACTION, config->fps_n, MAX (config->fps_d, 1), NULL);
  if (timed && config->fps_n == 0 && config->max_fps_n > 0)
    gst_caps_set_simple (wanted, "max-framerate", GST_TYPE_FRACTION, config->max_fps_n,
        MAX (config->max_fps_d, 1), NULL);
  return gst_caps_intersect_full (wanted, config->allowed, GST_CAPS_INTERSECT_FIRST);
}

/* In the picture's shape and at its rate where these are allowed, else in the nearest that are. Not
 * at another rate where it is strict. */
static GstCaps *
choose_among (const FalDecoder *decoder, GstCaps *candidates)
{
  static const struct {
    gboolean shaped, timed;
  } tries[] = { { TRUE, FALSE }, { FALSE, TRUE }, { FALSE, FALSE } };
  const FalDecoderConfig *config = &decoder->config;
  g_autoptr (GstCaps) fitting = intersect (decoder, candidates, TRUE, TRUE);
  GstStructure *structure;

  for (guint i = 0; i < G_N_ELEMENTS (tries) && gst_caps_is_empty (fitting); i++) {
    if (config->strict_rate && !tries[i].timed)
      continue;
    gst_caps_unref (fitting);
    fitting = intersect (decoder, candidates, tries[i].shaped, tries[i].timed);
  }
  if (gst_caps_is_empty (fitting))
    return NULL;
  fitting = gst_caps_truncate (g_steal_pointer (&fitting));
  fitting = gst_caps_make_writable (g_steal_pointer (&fitting));
  structure = gst_caps_get_structure (fitting, 0);
  gst_structure_fixate_field_nearest_fraction (
      structure, "framerate", config->fps_n, MAX (config->fps_d, 1));
  if (gst_structure_has_field (structure, "pixel-aspect-ratio"))
    gst_structure_fixate_field_nearest_fraction (
        structure, "pixel-aspect-ratio", decoder->par_n, decoder->par_d);
  return gst_caps_fixate (g_steal_pointer (&fitting));
}

/* A picture of another size than what was sent has the shape of it all the same. */
static void
shape_pixels (FalDecoder *decoder)
{
  const FalLayout *sent = &decoder->config.layout;
  const FalImageFileInfo *picture = &decoder->picture;
  gint n, d;

  decoder->par_n = MAX (sent->par_n, 1);
  decoder->par_d = MAX (sent->par_d, 1);
  if (sent->width <= 0 || sent->height <= 0 || decoder->par_n == decoder->par_d)
    return;
  fal_video_frame_reduce_ratio (
      (guint64) sent->width * picture->height, (guint64) sent->height * picture->width, &n, &d);
  fal_video_frame_reduce_ratio (
      (guint64) decoder->par_n * n, (guint64) decoder->par_d * d, &decoder->par_n, &decoder->par_d);
}

static gboolean
set_field (GQuark field, const GValue *value, gpointer structure)
{
  gst_structure_id_set_value (structure, field, value);
  return TRUE;
}

/* Says in @caps all that is known of the picture, the colours above all. */
static GstCaps *
complete_caps (GstCaps *caps, const GstVideoInfo *info)
{
  g_autoptr (GstCaps) known = gst_video_info_to_caps (info);

  caps = gst_caps_make_writable (caps);
  gst_structure_foreach (
      gst_caps_get_structure (known, 0), set_field, gst_caps_get_structure (caps, 0));
  return caps;
}

static gboolean
choose_raw (FalDecoder *decoder)
{
  g_autoptr (GstCaps) candidates = raw_candidates (&decoder->picture, decoder->config.matte);
  g_autoptr (GstCaps) caps = choose_among (decoder, candidates);

  if (caps == NULL || !gst_video_info_from_caps (&decoder->info, caps))
    return FALSE;
  decoder->caps = complete_caps (g_steal_pointer (&caps), &decoder->info);
  decoder->is_raw = TRUE;
  return TRUE;
}

static gboolean
choose_undecoded (FalDecoder *decoder)
{
  g_autoptr (GstCaps) candidates =
      gst_caps_new_empty_simple (fal_image_file_get_media_type (decoder->picture.type));

  decoder->caps = choose_among (decoder, candidates);
  decoder->is_raw = FALSE;
  return decoder->caps != NULL;
}

static gboolean
choose (FalDecoder *decoder, GError **error)
{
  const FalDecoderConfig *config = &decoder->config;
  g_autofree gchar *allowed = NULL, *rate = NULL;

  if (choose_raw (decoder) || choose_undecoded (decoder))
    return TRUE;

  allowed = gst_caps_to_string (config->allowed);
  if (config->strict_rate)
    rate = g_strdup_printf (" at a rate of %d/%d", config->fps_n, config->fps_d);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
      "Downstream takes no %s picture of %dx%d pixels%s, only %.*s%s. Put videoconvert and "
      "videoscale after this element%s.",
      fal_image_file_get_media_type (decoder->picture.type), decoder->picture.width,
      decoder->picture.height, rate ? rate : "", CAPS_IN_MESSAGE, allowed,
      strlen (allowed) > CAPS_IN_MESSAGE ? "..." : "",
      rate ? ", or set output-framerate to what downstream takes" : "");
  return FALSE;
}

/* For formats that the picture's library cannot write: it writes RGB, which is converted. */
static gboolean
make_converter (FalDecoder *decoder, GError **error)
{
  GstVideoFormat format =
      GST_VIDEO_INFO_HAS_ALPHA (&decoder->info) ? GST_VIDEO_FORMAT_RGBA : GST_VIDEO_FORMAT_RGBx;
  GstVideoRectangle all = { 0, 0, decoder->picture.width, decoder->picture.height };
  GstVideoInfo in, out = decoder->info;

  if (!fal_video_frame_make_info (&in, &decoder->info, format, all.w, all.h, error) ||
      !fal_video_frame_make (&decoder->decoded, &in, error))
    return FALSE;
  in.fps_n = out.fps_n;
  in.fps_d = out.fps_d;
  decoder->converter = fal_video_frame_make_converter (&in, &all, &out, error);
  return decoder->converter != NULL;
}

static gboolean
has_shape_of (const FalLayout *one, const FalLayout *other)
{
  return one->width == other->width && one->height == other->height && one->par_n == other->par_n &&
         one->par_d == other->par_d;
}

static gboolean
decoder_is_ready (
    FalDecoder *decoder, const FalImageFileInfo *picture, const FalDecoderConfig *config)
{
  const FalImageFileInfo *known = &decoder->picture;

  return decoder->caps != NULL && known->type == picture->type && known->width == picture->width &&
         known->height == picture->height && known->has_alpha == picture->has_alpha &&
         known->flawed == picture->flawed && decoder->config.matte == config->matte &&
         has_shape_of (&decoder->config.layout, &config->layout) &&
         decoder->config.fps_n == config->fps_n && decoder->config.fps_d == config->fps_d &&
         decoder->config.max_fps_n == config->max_fps_n &&
         decoder->config.max_fps_d == config->max_fps_d &&
         gst_caps_is_equal (decoder->config.allowed, config->allowed);
}

static gboolean
decoder_prepare (FalDecoder *decoder, const FalImageFileInfo *picture,
    const FalDecoderConfig *config, GError **error)
{
  if (decoder_is_ready (decoder, picture, config))
    return TRUE;

  decoder_reset (decoder);
  decoder->picture = *picture;
  decoder->config = *config;
  decoder->config.allowed = gst_caps_ref (config->allowed);
  shape_pixels (decoder);
  if (!choose (decoder, error))
    return FALSE;
  if (!decoder->is_raw)
    return TRUE;
  decoder->pool = fal_frame_pool_new (GST_VIDEO_INFO_SIZE (&decoder->info));
  if (fal_image_file_decodes_to (picture, GST_VIDEO_INFO_FORMAT (&decoder->info)) ||
      make_converter (decoder, error))
    return TRUE;

  decoder_reset (decoder);
  return FALSE;
}

static gboolean
decode_into (FalDecoder *decoder, GBytes *picture, GstVideoFrame *frame, GError **error)
{
  if (decoder->converter == NULL)
    return fal_image_file_decode (picture, &decoder->picture, frame, error);

  if (!fal_image_file_decode (picture, &decoder->picture, &decoder->decoded, error))
    return FALSE;
  gst_video_converter_frame (decoder->converter, &decoder->decoded, frame);
  return TRUE;
}

static GstBuffer *
decode_raw (FalDecoder *decoder, GBytes *picture, GError **error)
{
  g_autoptr (GstBuffer) buffer = fal_frame_pool_acquire (decoder->pool);
  GstVideoFrame frame;
  gboolean done;

  if (buffer == NULL || !gst_video_frame_map (&frame, &decoder->info, buffer, GST_MAP_WRITE)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "no memory for a picture of %dx%d pixels",
        decoder->picture.width, decoder->picture.height);
    return NULL;
  }
  done = decode_into (decoder, picture, &frame, error);
  gst_video_frame_unmap (&frame);
  return done ? g_steal_pointer (&buffer) : NULL;
}

GstBuffer *
fal_decoder_decode (FalDecoder *decoder, GBytes *picture, const FalDecoderConfig *config,
    GstCaps **caps, GError **error)
{
  FalImageFileInfo info;
  GstBuffer *buffer;
  gboolean known = config->flawed
                       ? fal_image_file_probe_flawed (picture, config->max_pixels, &info, error)
                       : fal_image_file_probe (picture, config->max_pixels, &info, error);

  if (!known || !decoder_prepare (decoder, &info, config, error))
    return NULL;

  buffer = decoder->is_raw ? decode_raw (decoder, picture, error)
                           : gst_buffer_new_wrapped_bytes (picture);
  if (buffer != NULL)
    *caps = gst_caps_ref (decoder->caps);
  return buffer;
}
