// 160x120
#include "colors.inc"
camera { location <0, 2, -3> look_at <0, 1, 2> }
sphere { <0, 1, 2>, 2 texture { pigment { color Yellow } finish { reflection 0.3 phong 0.9 } } }
plane { y, -1 texture { pigment { checker color White color Gray50 } } }
light_source { <2, 4, -3> color White }
