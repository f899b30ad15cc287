// notify_request.h: the body of POST /v1/notify -> the command.
// Threads: pure.
#pragma once

#include "confab/v1/edge_link.pb.h"

#include "edge/http_api/request_fields.h"

namespace confab::edge {

void ReadNotify(RequestFields& in, v1::Command& command);

}  // namespace confab::edge
