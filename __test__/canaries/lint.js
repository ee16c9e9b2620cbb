// Wrong on purpose: proves that the gate `lint` can fail.
canary();
