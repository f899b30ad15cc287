// engineio_echo.h: sessions that send back what they are told: bare Engine.IO at /engine.io/, and a
// plain WebSocket at /echo.
// Used by: socketio_echo.   Threads: any thread.
#pragma once

#include "edge/io_thread.h"

namespace confab::tests {

// Adds their routes and their maker.
void AddEngineIoEcho(edge::IoSettings& settings);

}  // namespace confab::tests
