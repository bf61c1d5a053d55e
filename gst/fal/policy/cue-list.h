/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which cue of a text track holds for a frame, and what a frame has to wait for.
 *
 * A cue is a time and the inputs that frames within that time get. Cues do not overlap here: one
 * that comes while another lasts holds once that one is over. So what a frame gets is certain as
 * soon as the text has passed its time, and does not depend on how early the next cue comes.
 *
 * Pure: no thread, lock, clock or log. Times are running times in nanoseconds, given as arguments;
 * a cue holds from its start on, and up to but not including its end. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Cues that are kept at the most. Whoever adds one waits for room before. */
#define FAL_CUE_LIST_MAX 64

typedef struct _FalCueList FalCueList;

FalCueList *fal_cue_list_new (void);
void fal_cue_list_free (FalCueList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalCueList, fal_cue_list_free)

/* Forgets all cues, and how far the text has come. */
void fal_cue_list_clear (FalCueList *list);

/* The text goes on from @time, be it later or earlier than where it was: what it said of the time
 * from there on does not count any more. */
void fal_cue_list_begin (FalCueList *list, GstClockTime time);

/* A cue (@inputs are taken). @start NONE: as soon as the text before it allows. @end NONE: until
 * the next cue begins. One whose time the text has passed already is dropped. */
void fal_cue_list_add (
    FalCueList *list, GstClockTime start, GstClockTime end, GstStructure *inputs);
gboolean fal_cue_list_is_full (const FalCueList *list);

/* The text has passed all before @time: no cue begins there any more. NONE: it has ended. */
void fal_cue_list_advance (FalCueList *list, GstClockTime time);

/* Whether nothing that may still come concerns a frame of running time @time. NONE: a frame without
 * a time, which waits for nothing. */
gboolean fal_cue_list_knows (const FalCueList *list, GstClockTime time);

/* The inputs of the cue that holds at @time (borrowed; with @list), or NULL. NONE: the time of the
 * frame before. Forgets the cues that end before it. */
const GstStructure *fal_cue_list_find (FalCueList *list, GstClockTime time);

G_END_DECLS
