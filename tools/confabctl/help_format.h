// help_format.h: how --help looks, the same at every place of the tree.
// Threads: caller serialises.
#pragma once

namespace CLI {
class App;
}

namespace confab::ctl {

// To be called when every verb is declared.
void FormatHelp(CLI::App& root);

}  // namespace confab::ctl
