/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the session tells its owner: troubles; frames that were dropped; the story of the stream. No
 * text has a secret in it, nor anything that is not seen, whoever wrote it: a peer's text cannot
 * forge a line of a log, nor reach a terminal as anything but text. Any thread; the owner is called
 * on the caller's, with no lock held. */
#pragma once

#include "events.h"

G_BEGIN_DECLS

typedef struct _FalReporter FalReporter;

/* @owner must live longer. */
FalReporter *fal_reporter_new (const FalSessionOwner *owner);
void fal_reporter_free (FalReporter *reporter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalReporter, fal_reporter_free)

/* The address that messages name; NULL: none. */
void fal_reporter_set_endpoint (FalReporter *reporter, const gchar *endpoint);

/* What no text may hold: what a server says may hold any of it. To be told of before anybody uses
 * the settings; of older ones than were told already nothing is taken. */
void fal_reporter_set_settings (FalReporter *reporter, const FalSettings *settings);
/* The API key that api-key-file had; or NULL. */
void fal_reporter_set_file_key (FalReporter *reporter, const gchar *api_key);
/* The token that connection number @lane was opened with; or NULL. */
void fal_reporter_set_last_token (FalReporter *reporter, guint lane, const gchar *token);
void fal_reporter_forget_last_tokens (FalReporter *reporter);
/* The address of the app; NULL: none is connected to. */
gchar *fal_reporter_dup_endpoint (FalReporter *reporter);
/* @text without any of them, all of it visible, and not too long. */
gchar *fal_reporter_redact (FalReporter *reporter, const gchar *text);

void fal_reporter_tell_state (FalReporter *reporter, FalDialerState state);
/* It has been the state for so long. */
void fal_reporter_tell_still (FalReporter *reporter, FalDialerState state, guint seconds);
/* Nothing went wrong, but something may; the text holds no secret. */
void fal_reporter_advise (FalReporter *reporter, const GError *advice);

/* "1 frame", "2 frames": so many of what @noun names. */
gchar *fal_reporter_count (guint n, const gchar *noun);

/* A trouble: the one way there. @details is taken; may be NULL. */
void fal_reporter_tell (
    FalReporter *reporter, gboolean fatal, const GError *error, GstStructure *details);
/* A warning about a single frame or result, at most one a second: that @what happened, such as "a
 * frame is dropped", and why. @details as above. */
void fal_reporter_warn_of (
    FalReporter *reporter, const gchar *what, const GError *error, GstStructure *details);
/* The same where the error says what happened, too. */
void fal_reporter_warn (FalReporter *reporter, const GError *error, GstStructure *details);

/* One line of the story of the stream; it must hold no secret. */
void fal_reporter_note (FalReporter *reporter, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

/* @drops (FalDrop) is taken; NULL: there are none. At most ten times a second the owner is told of
 * the last of those that came, whose count has them all; of one that was not told yet as soon as
 * this is called again later. */
void fal_reporter_tell_drops (FalReporter *reporter, GPtrArray *drops);
/* The counts of drops begin anew. */
void fal_reporter_forget_drops (FalReporter *reporter);

G_END_DECLS
