// item_bytes.h: what a command takes on its way to control, by estimate and never far too low: exact
// sizes would cost a walk over each message, which serialising does anyway.
// Threads: pure functions.
#pragma once

#include <cstddef>

#include "confab/v1/edge_link.pb.h"

namespace confab::edge {

std::size_t BytesOf(const v1::Command& command);
std::size_t BytesOf(const v1::EdgeItem& item);

}  // namespace confab::edge
