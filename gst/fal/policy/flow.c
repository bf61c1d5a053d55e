/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The flow: one word, and what outlives it. */
#include "flow.h"

void
fal_flow_reset (FalFlow *flow)
{
  *flow = (FalFlow){ .word = FAL_FLOW_FLUSHING, .seqnum = GST_SEQNUM_INVALID };
}

/* The word that holds where downstream takes buffers. */
static FalFlowWord
word_of_ours (const FalFlow *flow)
{
  if (flow->spent)
    return FAL_FLOW_SPENT; /* nothing is sent any more, so that no connection is missed */
  return flow->given_up ? FAL_FLOW_GIVEN_UP : FAL_FLOW_GOES_ON;
}

void
fal_flow_set_flushing (FalFlow *flow, gboolean flushing)
{
  flow->word = flushing ? FAL_FLOW_FLUSHING : word_of_ours (flow);
  if (flushing)
    flow->ended = flow->over = FALSE; /* its EOS, too, is flushed away */
  else
    flow->reported = FALSE;
}

gboolean
fal_flow_goes_out (const FalFlow *flow)
{
  return flow->word == FAL_FLOW_GOES_ON || flow->word == FAL_FLOW_REFUSED ||
         flow->word == FAL_FLOW_SPENT;
}

gboolean
fal_flow_takes_frames (const FalFlow *flow)
{
  return flow->word == FAL_FLOW_GOES_ON;
}

GstFlowReturn
fal_flow_get_return (const FalFlow *flow)
{
  switch (flow->word) {
  case FAL_FLOW_GOES_ON:
    return GST_FLOW_OK;
  case FAL_FLOW_REFUSED:
  case FAL_FLOW_SPENT:
    return GST_FLOW_EOS;
  case FAL_FLOW_FLUSHING:
    return GST_FLOW_FLUSHING;
  case FAL_FLOW_STOPPED:
    return flow->returned;
  case FAL_FLOW_GIVEN_UP:
    break;
  }
  return GST_FLOW_ERROR;
}

void
fal_flow_stop (FalFlow *flow, GstFlowReturn returned, gboolean reported)
{
  if (!fal_flow_goes_out (flow))
    return;
  if (returned == GST_FLOW_EOS && flow->word == FAL_FLOW_GOES_ON)
    flow->word = FAL_FLOW_REFUSED;
  if (returned == GST_FLOW_EOS)
    return;
  flow->word = FAL_FLOW_STOPPED;
  flow->returned = returned;
  flow->reported = reported;
}

gboolean
fal_flow_relink (FalFlow *flow)
{
  if (flow->word != FAL_FLOW_STOPPED || flow->returned != GST_FLOW_NOT_LINKED)
    return FALSE;
  flow->word = word_of_ours (flow);
  return TRUE;
}

void
fal_flow_give_up (FalFlow *flow)
{
  flow->given_up = TRUE;
  if (flow->word == FAL_FLOW_GOES_ON || flow->word == FAL_FLOW_REFUSED)
    flow->word = FAL_FLOW_GIVEN_UP;
}

void
fal_flow_allow_connections (FalFlow *flow)
{
  flow->given_up = FALSE;
}

void
fal_flow_spend (FalFlow *flow)
{
  flow->spent = TRUE;
  if (fal_flow_goes_out (flow))
    flow->word = FAL_FLOW_SPENT;
}

void
fal_flow_note_event (FalFlow *flow, GstEvent *event)
{
  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_STREAM_START:
  case GST_EVENT_SEGMENT:
    flow->seqnum = gst_event_get_seqnum (event);
    flow->ended &= flow->spent;
    flow->over &= flow->spent;
    if (flow->word == FAL_FLOW_REFUSED)
      flow->word = FAL_FLOW_GOES_ON;
    break;
  case GST_EVENT_EOS:
    flow->ended = TRUE;
    break;
  default:
    break;
  }
}

void
fal_flow_mark_event (const FalFlow *flow, GstEvent *event)
{
  if (flow->seqnum != GST_SEQNUM_INVALID)
    gst_event_set_seqnum (event, flow->seqnum);
}

GstEvent *
fal_flow_make_eos (FalFlow *flow)
{
  GstEvent *event = gst_event_new_eos ();

  fal_flow_mark_event (flow, event);
  flow->ended = TRUE;
  return event;
}

gboolean
fal_flow_has_ended (const FalFlow *flow)
{
  return flow->ended;
}

void
fal_flow_note_end (FalFlow *flow)
{
  flow->over = flow->ended;
}

gboolean
fal_flow_is_over (const FalFlow *flow)
{
  return flow->over;
}

gboolean
fal_flow_is_spent (const FalFlow *flow)
{
  return flow->spent;
}

gboolean
fal_flow_is_unreported (const FalFlow *flow)
{
  return flow->word == FAL_FLOW_STOPPED && !flow->reported && !flow->given_up &&
         (flow->returned == GST_FLOW_NOT_LINKED || flow->returned < GST_FLOW_EOS);
}
