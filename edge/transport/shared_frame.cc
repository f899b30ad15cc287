#include "edge/transport/shared_frame.h"

#include <cstring>
#include <new>

namespace confab::edge {

namespace {
thread_local std::ptrdiff_t bytes_alive = 0;
}  // namespace

SharedFrame SharedFrame::Copy(std::string_view bytes) {
  Body* body = new (::operator new(sizeof(Body) + bytes.size())) Body;
  body->count = 1;
  body->size = static_cast<uint32_t>(bytes.size());
  if (!bytes.empty()) std::memcpy(body + 1, bytes.data(), bytes.size());
  bytes_alive += static_cast<std::ptrdiff_t>(sizeof(Body) + bytes.size());
  return SharedFrame(body);
}

void SharedFrame::Free(Body* body) {
  bytes_alive -= static_cast<std::ptrdiff_t>(sizeof(Body) + body->size);
  ::operator delete(body);
}

std::ptrdiff_t SharedFrame::BytesAlive() { return bytes_alive; }

}  // namespace confab::edge
