// The same from C++, where the header must have C linkage and need no other one before it.
#include <vigil.h>

#include <iostream>

int main() {
    vigil_handle* vigil = nullptr;
    if (vigil_open(&vigil) < 0) return 1;
    std::cout << vigil_interval(vigil) << '\n';
    vigil_close(vigil);
}
