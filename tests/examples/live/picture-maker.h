/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes JPEGs for the page, at most LIVE_PICTURE_MAX pixels wide and high, of the frames that pass:
 * of the next one whenever one is asked for, so that nothing is encoded for nobody.
 * A JPEG has no alpha: a frame that has is laid on a background. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define LIVE_PICTURE_MAX 640

/* In the main thread. */
typedef void (*LivePictureFunc) (gpointer user, GBytes *jpeg);

typedef struct _LivePictureMaker LivePictureMaker;

/* Errors: those of live_pipeline_new(). */
LivePictureMaker *live_picture_maker_new (
    LivePictureFunc on_picture, gpointer user, GError **error);
/* In the main thread, when nobody offers frames any more. */
void live_picture_maker_free (LivePictureMaker *maker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LivePictureMaker, live_picture_maker_free)

/* The next frame that is offered becomes a picture. */
void live_picture_maker_ask (LivePictureMaker *maker);
/* From any thread, for every frame of raw video; costs nothing where none is wanted. */
void live_picture_maker_offer (LivePictureMaker *maker, GstSample *frame);

G_END_DECLS
