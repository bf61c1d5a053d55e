/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command: one process after the other. */
#include "effect-command.h"
#include "picture-process.h"

#define DEFAULT_TIMEOUT 30000 /* ms */

struct _FalEffectCommand {
  gchar *line;
  guint timeout_ms;
  FalPictureProcess *process; /* NULL: it failed */
  GCancellable *stopped;
};

FalEffectCommand *
fal_effect_command_new (const gchar *command, guint timeout_ms, GError **error)
{
  g_autoptr (FalEffectCommand) made = g_new0 (FalEffectCommand, 1);

  made->line = g_strdup (command);
  made->timeout_ms = timeout_ms ? timeout_ms : DEFAULT_TIMEOUT;
  made->stopped = g_cancellable_new ();
  made->process = fal_picture_process_new (command, error);
  return made->process ? g_steal_pointer (&made) : NULL;
}

void
fal_effect_command_free (FalEffectCommand *command)
{
  g_clear_pointer (&command->process, fal_picture_process_free);
  g_object_unref (command->stopped);
  g_free (command->line);
  g_free (command);
}

/* One that ended between two pictures failed nobody. */
static gboolean
ensure_process (FalEffectCommand *command, GError **error)
{
  if (g_cancellable_set_error_if_cancelled (command->stopped, error))
    return FALSE;
  if (command->process != NULL && !fal_picture_process_is_ready (command->process))
    g_clear_pointer (&command->process, fal_picture_process_free);
  if (command->process == NULL)
    command->process = fal_picture_process_new (command->line, error);
  return command->process != NULL;
}

gboolean
fal_effect_command_apply (
    FalEffectCommand *command, FalRgbImage **image, FalMatte **matte, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + command->timeout_ms * G_TIME_SPAN_MILLISECOND;
  FalRgbImage *picture = NULL;

  if (!ensure_process (command, error))
    return FALSE;
  if (!fal_picture_process_exchange (
          command->process, *image, deadline, command->stopped, &picture, matte, error)) {
    g_clear_pointer (&command->process, fal_picture_process_free);
    return FALSE;
  }
  if (picture != NULL) {
    fal_rgb_image_free (*image);
    *image = picture;
  }
  return TRUE;
}

void
fal_effect_command_stop (FalEffectCommand *command)
{
  g_cancellable_cancel (command->stopped);
}
