/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The camera: raw frames, live, from a clip that is played over and over, a device, a browser's
 * pictures or, where there is no clip, a test picture. A pipeline of its own, so that one that
 * fails or changes leaves the other pipelines alone. Used in the main thread. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum { LIVE_CAMERA_CLIP, LIVE_CAMERA_BROWSER, LIVE_CAMERA_DEVICE } LiveCameraKind;

/* "clip", "browser", "device". */
const gchar *live_camera_kind_get_name (LiveCameraKind kind);
/* FALSE: no kind has this name. */
gboolean live_camera_kind_from_name (const gchar *name, LiveCameraKind *kind);

/* A frame, in a thread of the camera's pipeline. None comes once the camera was freed. */
typedef void (*LiveCameraFrameFunc) (gpointer user, GstSample *frame);
/* It gives no frames any more; in the main thread. */
typedef void (*LiveCameraErrorFunc) (gpointer user, const gchar *text);

typedef struct {
  LiveCameraKind kind;
  const gchar *clip;   /* file name; NULL: a test picture */
  const gchar *device; /* such as "/dev/video0" */
  LiveCameraFrameFunc on_frame;
  LiveCameraErrorFunc on_error;
  gpointer user;
} LiveCameraConfig;

typedef struct _LiveCamera LiveCamera;

/* Starts at once. What is wrong with the clip or the device is told by on_error, later. Errors:
 * those of live_pipeline_new(). */
LiveCamera *live_camera_new (const LiveCameraConfig *config, GError **error);
void live_camera_free (LiveCamera *camera);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LiveCamera, live_camera_free)

LiveCameraKind live_camera_get_kind (const LiveCamera *camera);

#define LIVE_CAMERA_MAX_WIDTH 1280
#define LIVE_CAMERA_MAX_HEIGHT 720

/* The next picture of a camera that is a browser's. FALSE: it is no whole JPEG of at most
 * LIVE_CAMERA_MAX_WIDTH × LIVE_CAMERA_MAX_HEIGHT, or this camera is none; it is not shown. */
gboolean live_camera_take (LiveCamera *camera, GBytes *jpeg);

G_END_DECLS
