workload "four"
{
}
