// edge_reads.h: commands of edges that only read rooms and member lists: answered from the store,
// past the lanes.
// Threads: any thread; the Result is sent on a reader thread.
#pragma once

#include <memory>

#include "control/dispatch/dispatcher_types.h"
#include "control/fanout/edge_registry.h"

namespace confab::control {

class Dispatcher;

// False: the command is none of these. True: its Result is sent, now or later, and the edge's
// admission released then. REQUIRES: edge->Admit() was true.
bool AnswerRead(Dispatcher& dispatcher, const std::shared_ptr<Attachment>& edge,
                const EdgeCommand& asked);

}  // namespace confab::control
