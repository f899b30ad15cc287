// edge_notifications.h: commands of edges about notifications and inboxes, and their Results.
// Threads: any thread; the Result is sent on a reader thread or a lane.
#pragma once

#include <memory>

#include "control/dispatch/dispatcher_types.h"
#include "control/fanout/edge_registry.h"

namespace confab::control {

class Dispatcher;

// False: the command is none of these, and was not touched. True: its Result is sent, now or later,
// and the edge's admission released then. REQUIRES: edge->Admit() was true.
bool AnswerNotification(Dispatcher& dispatcher, const std::shared_ptr<Attachment>& edge,
                        EdgeCommand& asked, Deadline now);

}  // namespace confab::control
