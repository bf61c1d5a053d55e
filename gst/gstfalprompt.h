/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The request pad "prompt": takes a text track, whose cues are the inputs of the frames within
 * their time. There is one such pad at the most.
 *
 * Cues come on a streaming thread of their own, and frames look theirs up on the sink pad's. The
 * time that the two are compared by is running time, so each pad may have segments of its own. */
#pragma once

#include "fal/session/session.h"

G_BEGIN_DECLS

typedef struct _GstFalPrompt GstFalPrompt;

GstPadTemplate *gst_fal_prompt_make_template (void);

/* All is borrowed, and must live longer than the prompt. */
GstFalPrompt *gst_fal_prompt_new (GstElement *element, FalSession *session);
void gst_fal_prompt_free (GstFalPrompt *prompt);

/* As GstElement has them; any thread. NULL: there is one already. */
GstPad *gst_fal_prompt_request_pad (GstFalPrompt *prompt, GstPadTemplate *template);
void gst_fal_prompt_release_pad (GstFalPrompt *prompt);

/* Before the pads are activated; and before they are deactivated, since it ends all waits. */
void gst_fal_prompt_start (GstFalPrompt *prompt);
void gst_fal_prompt_stop (GstFalPrompt *prompt);

/* Sets *@inputs to those of the cue that holds for a frame of this running time (transfer full), or
 * NULL. In a pipeline that is not live it waits until the text has come so far. FLUSHING: the wait
 * was ended. The sink pad's streaming thread. */
GstFlowReturn gst_fal_prompt_find (
    GstFalPrompt *prompt, GstClockTime running, GstStructure **inputs);

/* What the sink pad hears. A flush ends waits for text, for as long as it lasts. Once the frames
 * have ended cues are taken and forgotten, so that upstream of both pads can go on. */
void gst_fal_prompt_flush_frames (GstFalPrompt *prompt, gboolean flushing);
void gst_fal_prompt_end_frames (GstFalPrompt *prompt, gboolean ended);

/* What the source pad hears. An event that goes to both upstreams is sent to the text's here
 * (@event stays the caller's). Between the two calls about a seek that flushes no frame goes on,
 * since it would meet the text of another place. */
void gst_fal_prompt_send_upstream (GstFalPrompt *prompt, GstEvent *event);
void gst_fal_prompt_begin_seek (GstFalPrompt *prompt);
void gst_fal_prompt_end_seek (GstFalPrompt *prompt);

G_END_DECLS
