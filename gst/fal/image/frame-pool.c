/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blocks lie in a list until they become the memory of a buffer; each knows its pool. */
#include "frame-pool.h"

struct _FalFramePool {
  gsize size; /* of a frame, bytes */

  GMutex lock;
  GSList *blocks; /* lock; Block that are free */
  gboolean ended; /* lock; what comes back is not kept */
};

typedef struct {
  FalFramePool *pool; /* a reference, while a buffer has the memory */
  GSList link;        /* so that to come back takes no memory */
  guint8 *memory;
} Block;

static void
block_free (gpointer data)
{
  Block *block = data;

  g_free (block->memory);
  g_free (block);
}

static Block *
block_new (gsize size)
{
  guint8 *memory = g_try_malloc (size);
  Block *block;

  if (memory == NULL)
    return NULL;
  block = g_new0 (Block, 1);
  block->memory = memory;
  block->link.data = block;
  return block;
}

static void
pool_clear (gpointer data)
{
  g_mutex_clear (&((FalFramePool *) data)->lock);
}

static void
pool_unref (FalFramePool *pool)
{
  g_atomic_rc_box_release_full (pool, pool_clear);
}

FalFramePool *
fal_frame_pool_new (gsize size)
{
  FalFramePool *pool = g_atomic_rc_box_new0 (FalFramePool);

  pool->size = size;
  g_mutex_init (&pool->lock);
  return pool;
}

static Block *
take_block (FalFramePool *pool)
{
  GSList *link;

  g_mutex_lock (&pool->lock);
  link = pool->blocks;
  if (link != NULL)
    pool->blocks = link->next;
  g_mutex_unlock (&pool->lock);
  return link ? link->data : NULL;
}

void
fal_frame_pool_free (FalFramePool *pool)
{
  Block *block;

  g_mutex_lock (&pool->lock);
  pool->ended = TRUE;
  g_mutex_unlock (&pool->lock);
  while ((block = take_block (pool)) != NULL)
    block_free (block);
  pool_unref (pool);
}

/* Nobody has the memory any more. */
static void
give_back (gpointer data)
{
  Block *block = data;
  FalFramePool *pool = g_steal_pointer (&block->pool);
  gboolean ended;

  g_mutex_lock (&pool->lock);
  ended = pool->ended;
  if (!ended) {
    block->link.next = pool->blocks;
    pool->blocks = &block->link;
  }
  g_mutex_unlock (&pool->lock);
  if (ended)
    block_free (block);
  pool_unref (pool);
}

GstBuffer *
fal_frame_pool_acquire (FalFramePool *pool)
{
  Block *block = take_block (pool);

  if (block == NULL)
    block = block_new (pool->size);
  if (block == NULL)
    return NULL;
  block->pool = g_atomic_rc_box_acquire (pool);
  return gst_buffer_new_wrapped_full (
      0, block->memory, pool->size, 0, pool->size, block, give_back);
}
