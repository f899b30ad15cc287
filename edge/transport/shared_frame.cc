#include "edge/transport/shared_frame.h"

#include <cstring>
#include <new>

namespace confab::edge {

SharedFrame SharedFrame::Copy(std::string_view bytes) {
  Body* body = new (::operator new(sizeof(Body) + bytes.size())) Body;
  body->count = 1;
  body->size = static_cast<uint32_t>(bytes.size());
  if (!bytes.empty()) std::memcpy(body + 1, bytes.data(), bytes.size());
  return SharedFrame(body);
}

void SharedFrame::Free(Body* body) { ::operator delete(body); }

}  // namespace confab::edge
