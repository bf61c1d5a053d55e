/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The picture as a drawing: even areas of strong colour with ink outlines. */
#pragma once

#include "rgb-image.h"

G_BEGIN_DECLS

void fal_cartoon_apply (FalRgbImage *image);

G_END_DECLS
