/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unreadable-memory.h"

typedef GstAllocator Unreadable;
typedef GstAllocatorClass UnreadableClass;

GType unreadable_get_type (void);
G_DEFINE_TYPE (Unreadable, unreadable, GST_TYPE_ALLOCATOR)

static void
unreadable_free (GstAllocator *allocator, GstMemory *memory)
{
  g_free (memory);
}

static gpointer
unreadable_map (GstMemory *memory, gsize size, GstMapFlags flags)
{
  return NULL;
}

static void
unreadable_init (Unreadable *allocator)
{
  allocator->mem_type = "unreadable";
  allocator->mem_map = unreadable_map;
}

static void
unreadable_class_init (UnreadableClass *class)
{
  class->free = unreadable_free;
}

GstBuffer *
unreadable_buffer_new (gsize size)
{
  g_autoptr (GstAllocator) allocator = g_object_new (unreadable_get_type (), NULL);
  GstMemory *memory = g_new0 (GstMemory, 1);
  GstBuffer *buffer = gst_buffer_new ();

  gst_object_ref_sink (allocator);
  gst_memory_init (memory, GST_MEMORY_FLAG_NO_SHARE, allocator, NULL, size, 0, 0, size);
  gst_buffer_append_memory (buffer, memory);
  return buffer;
}
