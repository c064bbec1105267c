-- The naive answer, for comparison: who bought this item also bought, joined at request time.
select other.item_id, count(distinct o.customer_id) as customers
from order_line l
join orders o on o.order_id = l.order_id
join orders theirs on theirs.customer_id = o.customer_id
join order_line other on other.order_id = theirs.order_id and other.item_id <> l.item_id
where l.item_id = %s
group by other.item_id
order by customers desc, other.item_id
limit 5
