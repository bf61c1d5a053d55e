/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A buffer as some hardware has it: of a known size, but nobody can read it. */
#pragma once

#include <gst/gst.h>

GstBuffer *unreadable_buffer_new (gsize size);
