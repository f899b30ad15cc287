// proxied_accept.h: connections of trusted proxies that begin with the PROXY protocol.
// Owns: the sockets whose header is being read (HttpHome::proxied).   Used by: listener.
// Threads: confined to the io thread.
// Fails: a header that is none, too long or too slow ends the connection; logged once a minute.
#pragma once

#include "edge/transport/edge_stream.h"

namespace confab::edge {

struct HttpHome;

// Reads the header, then begins the talk of the client it names. REQUIRES: home.proxied is set and
// the peer is trusted.
void AcceptProxied(HttpHome& home, EdgeStream stream);

// Closes those whose header is not there yet.
void EndProxiedAccepts(HttpHome& home);

}  // namespace confab::edge
