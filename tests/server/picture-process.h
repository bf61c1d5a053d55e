/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process that works on pictures, which go to its standard input and come from its standard
 * output one at a time, in Netpbm's binary formats: a P6 (RGB) goes in; a P6 comes back in its
 * place, or a P5 (grey), which is a matte of it, of any size up to 2048 pixels on a side. All have
 * 255 levels, and no comments in their headers. What it writes to its standard error goes to ours.
 *
 * One thread at a time. Writing to a process that has ended raises SIGPIPE: GIO's sockets, which
 * every server here has, make the whole program ignore that. */
#pragma once

#include "effects/matte.h"

G_BEGIN_DECLS

typedef struct _FalPictureProcess FalPictureProcess;

/* @command: a program and its arguments, quoted as for a shell, which is not asked. */
FalPictureProcess *fal_picture_process_new (const gchar *command, GError **error);
/* Ends it, and what it started, without asking. */
void fal_picture_process_free (FalPictureProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalPictureProcess, fal_picture_process_free)

/* FALSE where it has ended, or written what nobody asked for. */
gboolean fal_picture_process_is_ready (FalPictureProcess *process);
/* Waits for the answer to @image until @deadline, in monotonic µs, or until it is cancelled. Either
 * *picture or *matte is set. After an error the process is of no further use. */
gboolean fal_picture_process_exchange (FalPictureProcess *process, const FalRgbImage *image,
    gint64 deadline, GCancellable *cancellable, FalRgbImage **picture, FalMatte **matte,
    GError **error);

G_END_DECLS
